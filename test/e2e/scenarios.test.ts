/** Every way in which a release of PASS can go, with the real program and nobody to ask: how it ends, what it says, what it records. */
import {ListClustersCommand} from '@aws-sdk/client-ecs';
import {expect} from 'vitest';
import {auditCommand} from '../../src/commands/audit.ts';
import type {Scenario} from '../../src/emulator/scenarios.ts';
import {exitCodes} from '../../src/release/errors.ts';
import {deskAt} from '../commands/support/desk.ts';
import {
  type Pass,
  type PassConfig,
  type PassOptions,
  before,
  cluster,
  componentOf,
  ends,
  environment,
  environmentOf,
  released,
} from '../support/pass.ts';
import {test as passTest} from '../support/pass-test.ts';
import {type RunRecord, eventsOf, startInTerminal} from '../support/program.ts';
import {seedWhole, wholeConfig, wholeOn, wholeStanding} from '../support/whole-pass.ts';

const test = passTest.concurrent;

const component = 'deposit-services';

/** What is hopeless is noticed by looking, not by ECS. */
const noBreaker = {circuitBreaker: {enable: false, rollback: false}};

interface Expected {
  /** How the rollout of one service goes. */
  readonly scenarios: readonly Scenario[];
  readonly speed?: number;
  readonly outcome: string;
  readonly exitCode: number;
  /** How the service ends, and what that is said to come from. */
  readonly end: string;
  readonly found: RegExp;
  /** Lines among the evidence of the check that failed. */
  readonly evidence?: readonly RegExp[];
  /** What is said to do about it. */
  readonly next?: RegExp;
  /** Which revision the service is left on: the released one, if nothing is said. */
  readonly runs?: 1 | 2;
  /** Everything is released, and not the service and what needs it alone. */
  readonly whole?: true;
}

const lastWords = [/^the last lines of container deposit-services-core of task [0-9a-f]{32} \(\/ecs\/deposit-services\):$/];

const failed = {outcome: 'failed', exitCode: 1, end: 'failed'} as const;
const goBack = `To go back: aws ecs update-service --cluster pass --service ${component} --task-definition ${component}:1`;
const hopeless = {...failed, next: new RegExp(`It will not get better by itself\\. .*${goBack}`)} as const;
const dying = {...failed, next: new RegExp(`The service still tries\\. ${goBack}`)} as const;

const failing: Readonly<Record<string, Expected>> = {
  'cannot-pull': {
    ...hopeless,
    whole: true,
    scenarios: ['cannot-pull', noBreaker],
    found: /^the image cannot be pulled: it is not there: CannotPullContainerError: pull image manifest has been retried/,
    evidence: [/^\d+ × CannotPullContainerError/],
  },
  'secret-missing': {
    ...hopeless,
    scenarios: ['secret-missing', noBreaker],
    found: /^a secret is missing: ResourceInitializationError: unable to pull secrets or registry auth/,
    evidence: [/^\d+ × ResourceInitializationError/],
  },
  'out-of-memory': {
    ...hopeless,
    scenarios: ['out-of-memory', noBreaker],
    found: /^it runs out of memory as soon as it starts \(OutOfMemoryError\).* exited with 137\)$/,
    evidence: [
      /OutOfMemoryError: .*\(container deposit-services-core exited with 137\)$/,
      ...lastWords,
      /^ {2}Loading 4,816,204 records/,
    ],
  },
  'exec-format': {
    ...hopeless,
    scenarios: ['exec-format', noBreaker],
    found: /^the program is made for another CPU \(exec format error\): .* exited with 255\)$/,
    evidence: [...lastWords, /^ {2}exec \/usr\/local\/bin\/docker-entrypoint\.sh: exec format error$/],
  },
  'crash-loop': {
    ...dying,
    scenarios: ['crash-loop', noBreaker],
    found:
      /^\d+ tasks have ended, and none got healthy: Essential container in task exited \(container deposit-services-core exited with 1\)$/,
    evidence: [
      /^\d+ × Essential container in task exited \(container deposit-services-core exited with 1\)$/,
      ...lastWords,
      /^ {2}ERROR could not connect to the database: password authentication failed$/,
    ],
  },
  unhealthy: {
    ...dying,
    scenarios: ['unhealthy', noBreaker],
    found: /^\d+ tasks have ended, and none got healthy: Task failed container health checks/,
    evidence: [...lastWords, /^ {2}GET \/health 503 no connection to the message broker$/],
  },
  'breaker-rollback': {
    scenarios: ['breaker-rollback'],
    whole: true,
    runs: 1,
    // The others have arrived: that is not "back on the old one".
    outcome: 'failed',
    exitCode: 1,
    end: 'rolled back',
    found: /^ECS took it back to deposit-services:1: .*circuit breaker/,
    evidence: [/^circuit breaker: \d+ failed tasks, it trips at 3$/, ...lastWords],
  },
  'a circuit breaker that may not roll back': {
    scenarios: ['crash-loop', {circuitBreaker: {enable: true, rollback: false}}],
    speed: 60,
    outcome: 'failed',
    exitCode: 1,
    end: 'failed',
    found: /circuit breaker|none got healthy/,
    evidence: [/^circuit breaker: \d+ failed tasks, it trips at 3$/, ...lastWords],
  },
  superseded: {
    scenarios: ['superseded'],
    runs: 1,
    outcome: 'superseded',
    exitCode: 8,
    end: 'superseded',
    found: /^another deployment took over: it runs deposit-services:1/,
  },
  stopped: {
    scenarios: ['stopped'],
    runs: 1,
    outcome: 'stopped',
    exitCode: 9,
    end: 'stopped',
    found: /^somebody stopped the deployment: ECS took it back to deposit-services:1: .*because it was requested/,
  },
};

/** PASS whose nihms-loader needs the service; everything else goes side by side with it. */
async function startWhole(
  start: (options: PassOptions) => Promise<Pass>,
  {change, ...options}: PassOptions & Changing,
): Promise<Pass> {
  const pass = await start({
    ...options,
    config: config => {
      wholeConfig()(config);
      componentOf(config, 'nihms-loader')['needs'] = [component];
      change?.(config);
    },
  });
  seedWhole(pass);
  return pass;
}

interface Changing {
  readonly change?: (config: PassConfig) => void;
}

/** What does not need the service has arrived, what needs it has not begun. */
const others = {
  'pass-core': 'verified',
  'notification-services': 'verified',
  'grant-loader': 'verified',
  'journal-loader': 'verified',
};
const waiting = {'nihms-loader': 'not started'};

test.for(Object.entries(failing))('%s', async ([, expected], {start}) => {
  const {scenarios, speed = 20, outcome, exitCode, end, found, evidence = [], next, runs = 2, whole} = expected;
  const pass = await startWhole(start, {speed});
  pass.world.scenarioFor(component, ...scenarios);

  const ended = await pass.release(...(whole ? [] : ['--component', component, '--component', 'nihms-loader']));
  expect(ended.exitCode, ended.stdout).toBe(exitCode);
  const record = await pass.record();
  expect(finished(record)).toMatchObject({outcome, exitCode});
  expect(ends(record)).toEqual({...(whole && others), ...waiting, [component]: end});
  const look = lastLook(record);
  expect(look).toMatchObject({status: 'failed', found: expect.stringMatching(found), see: expect.stringContaining('aws ecs')});
  for (const line of evidence) expect(look?.evidence).toContainEqual(expect.stringMatching(line));
  if (next) {
    expect(look?.next).toMatch(next);
    expect(ended.stdout).toContain(goBack);
  }

  // On screen: the word and why in the summary, what was seen among the lines.
  expect(ended.stdout).toContain(`pass ${released} → ${environment}: ${outcome.toUpperCase()}`);
  expect(ended.stdout).toContain(`${end}: service ${component} runs ${component}:2: ${look?.found}`);
  for (const line of look?.evidence ?? []) expect(ended.stderr).toContain(line);

  // Each once, whatever came of it; those that have arrived stay where they are, in the same environment as one that was taken back.
  const {services, revisions} = await wholeStanding(pass);
  const moved = wholeOn(whole ? 2 : 1);
  expect(pass.messages()).toHaveLength(whole ? 1 : 0);
  expect(revisions).toEqual({...moved.revisions, [component]: 2, 'pass-nihms-loader': 1});
  expect(services).toEqual({...moved.services, [component]: `${component}:${runs}`});
  if (whole) expect(ended.stdout).toContain('4 of 6 components on 1.14.0');
});

// ── what ends well ───────────────────────────────────────────────────────────────────────────────────

const good: Readonly<Record<string, Scenario>> = {
  healthy: 'healthy',
  'lost-answer': 'lost-answer',
};

test.for(Object.entries(good))('%s', async ([, scenario], {start}) => {
  const pass = await startWhole(start, {scenario});
  const ended = await pass.release();
  expect(ended).toMatchObject({exitCode: 0, stdout: expect.stringContaining(`: passed in`)});
  await expectWhole(pass);
});

/** What is about when calls are made, and what time it is: the same for one as for six. */
const timely: Readonly<Record<string, Scenario>> = {
  slow: 'slow',
  throttled: 'throttled',
  'clock-skew, five minutes behind': 'clock-skew',
  'clock-skew, five minutes ahead': {clockSkewSeconds: 300},
};

test.for(Object.entries(timely))('%s', async ([, scenario], {start}) => {
  const pass = await startWhole(start, {scenario});
  const ended = await pass.release('--component', component, '--component', 'nihms-loader');
  expect(ended).toMatchObject({exitCode: 0, stdout: expect.stringContaining(`: passed in`)});
  expect((await wholeStanding(pass)).revisions).toEqual({...wholeOn(1).revisions, [component]: 2, 'pass-nihms-loader': 2});
  await expectProven(pass);
});

// ── faults ───────────────────────────────────────────────────────────────────────────────────────────

/** The calls that are hit, and by what, are others each time. */
test.for([
  {skipped: 0, kinds: ['throttle', '500', 'slow']},
  {skipped: 2, kinds: ['500', 'slow', 'throttle']},
  {skipped: 3, kinds: ['slow', 'throttle', '500']},
] as const)('every fifth call throttled, answered 500 or slow, from call $skipped on', async ({skipped, kinds}, {start}) => {
  const pass = await startWhole(start, {scenario: {noise: [{kind: kinds, share: 0.2}]}});
  for (let call = 0; call < skipped; call++) await pass.ecs.send(new ListClustersCommand({})).catch(() => undefined);

  const ended = await pass.release();
  const sent = pass.messages().length;
  if (ended.exitCode === exitCodes.unknown) {
    // The answer to Publish was lost: nothing that needs it has begun, and a person decides.
    expect(ends(await pass.record())).toMatchObject({'pass-core': 'unknown', [component]: 'not started'});
    expect(sent).toBe(0);
    expect(await pass.run('resume', '--yes', '--env', environment, '--allow', 'republish')).toMatchObject({exitCode: 0});
  } else expect(ended.exitCode, `${ended.stdout}${ended.stderr}`).toBe(0);
  await expectWhole(pass);
});

// ── what is done about a failure ─────────────────────────────────────────────────────────────────────

test('onFailure: rollback takes the one that failed back by itself', async ({start}) => {
  const pass = await startWhole(start, {change: config => void (environmentOf(config)['onFailure'] = 'rollback')});
  pass.world.scenarioFor(component, 'cannot-pull', noBreaker);

  const ended = await pass.release('--component', component);
  expect(ended).toMatchObject({
    exitCode: exitCodes.rolledBack,
    stdout: expect.stringMatching(/rolled back: .*; back on 1\.13\.2/),
  });
  const record = await pass.record();
  expect(finished(record)).toMatchObject({outcome: 'rolled back'});
  expect(eventsOf(record, 'back.planned')).toMatchObject([{plan: {component, to: before}}]);
  const {services, revisions} = await wholeStanding(pass);
  expect(services).toEqual(wholeOn(1).services);
  expect(revisions).toEqual({...wholeOn(1).revisions, [component]: 2});
});

test('onFailure: rollback-all takes back together all that may be taken back', async ({start}) => {
  const pass = await startWhole(start, {change: config => void (environmentOf(config)['onFailure'] = 'rollback-all')});
  pass.world.scenarioFor(component, 'cannot-pull', noBreaker);

  const ended = await pass.release();
  const back = 'rolled back';
  expect(ends(await pass.record()), ended.stdout).toEqual({
    // Nobody can take a message back; whether to send another is a person's to say.
    'pass-core': 'verified',
    [component]: back,
    'notification-services': back,
    'grant-loader': back,
    'journal-loader': back,
    'nihms-loader': 'not started',
  });
  expect(ended).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining(
      '1 of 6 components on 1.14.0 (pass-core); rolled back: deposit-services, notification-services',
    ),
  });
  const {services, starts} = await wholeStanding(pass);
  expect({services, starts}).toEqual({services: wholeOn(1).services, starts: wholeOn(1).starts});
  expect(pass.messages()).toHaveLength(1);
});

test('a person who waits on although it looks hopeless learns how it ends', async ({start}) => {
  const pass = await startWhole(start, {});
  pass.world.scenarioFor(component, 'cannot-pull', noBreaker);
  const args = ['--no-tui', '--env', environment, '--release', released, '--component', component];
  const terminal = startInTerminal(args, {cwd: pass.folder, env: pass.env});
  await terminal.waitFor('Type yes to release');
  terminal.type('yes\r');
  await terminal.waitFor(`${component} verify failed.`);
  await terminal.waitFor('❯ go on waiting');
  await terminal.waitFor('leave it as it is');
  terminal.type('\r');

  // Somebody else has had enough of it.
  pass.world.updateService({cluster, service: component, taskDefinition: `${component}:1`});
  await terminal.waitFor('another deployment took over');
  await terminal.waitFor('leave it as it is');
  // Up from the first is the last.
  terminal.type('\u001B[A\r');
  expect(await terminal.exitCode).toBe(exitCodes.superseded);
  const record = await pass.record();
  expect(eventsOf(record, 'question.answered').map(({answer}) => answer.value)).toEqual(['yes', 'wait', 'leave']);
  expect(lastLook(record)).toMatchObject({cause: 'superseded'});
});

// ── helpers ──────────────────────────────────────────────────────────────────────────────────────────

async function expectWhole(pass: Pass): Promise<void> {
  expect(await wholeStanding(pass)).toEqual(wholeOn(2));
  expect(pass.messages()).toHaveLength(1);
  await expectProven(pass);
}

async function expectProven(pass: Pass): Promise<void> {
  expect(finished(await pass.record())).toMatchObject({outcome: 'passed', exitCode: 0});
  const desk = deskAt(pass);
  expect(await auditCommand(desk.context, released, {env: environment}), desk.stdout()).toBe(0);
  expect(desk.stdout()).not.toMatch(/^ *[✖⚠○]/m);
}

function finished(record: RunRecord) {
  return eventsOf(record, 'run.finished').at(-1);
}

function lastLook(record: RunRecord) {
  return eventsOf(record, 'check').findLast(({check}) => check.claim === `${component} rollout`)?.check;
}
