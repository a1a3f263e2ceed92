/** The message that makes PASS redeploy itself: what is shown, what is sent, what is seen of it, and that it is sent once. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, test, vi} from 'vitest';
import {bindComponent} from '../../src/components/index.ts';
import type {Io} from '../../src/components/io.ts';
import {letsPublish} from '../../src/components/sns-trigger/topic.ts';
import {openApplication} from '../../src/commands/application.ts';
import {bindComponents} from '../../src/commands/binding.ts';
import {releaseCommand} from '../../src/commands/release.ts';
import {resumeCommand} from '../../src/commands/resume.ts';
import {createRedaction} from '../../src/record/redact.ts';
import {type Component, createStop} from '../../src/release/contract.ts';
import {DeployError} from '../../src/release/errors.ts';
import type {Detail} from '../../src/release/model.ts';
import {deskAt, speed, unattended} from '../commands/support/desk.ts';
import {
  type Pass,
  type PassConfig,
  type PassOptions,
  account,
  before,
  componentOf,
  ends,
  region,
  released,
  startPass,
} from '../support/pass.ts';
import {eventsOf} from '../support/program.ts';
import {worldOf} from './support/world.ts';

// Whole releases, on a machine that has other things to do.
vi.setConfig({testTimeout: 60_000});

const only = ['pass-core'];
const resuming = {yes: true, output: 'auto', tui: true, maxParallel: 4, allow: [], env: 'production'} as const;

const start = (options: PassOptions = {}) => startPass({speed, ...options});

const settings = (change: Readonly<Record<string, unknown>>) => ({
  config: (config: PassConfig) => void Object.assign(componentOf(config, 'pass-core'), change),
});

async function release(pass: Pass, more: Parameters<typeof unattended>[0] = {}) {
  const desk = deskAt(pass);
  const exitCode = await releaseCommand(desk.context, unattended({component: only, ...more}));
  return {exitCode, output: `${desk.stdout()}${desk.stderr()}`};
}

async function resume(pass: Pass) {
  const desk = deskAt(pass);
  const exitCode = await resumeCommand(desk.context, undefined, resuming);
  return {exitCode, output: `${desk.stdout()}${desk.stderr()}`};
}

async function planned(pass: Pass) {
  const [part] = eventsOf(await pass.record(), 'plan.ready').at(-1)?.plan.components ?? [];
  const [change] = part?.changes ?? [];
  const details = new Map((change?.details ?? []).map(({name, after}: Detail) => [name, after]));
  return {part, change, details};
}

describe('a release', () => {
  test('shows the topic, exactly the message, and its size; sends that; and is proved by the new answer', async () => {
    const pass = await start();
    expect((await release(pass)).exitCode).toBe(0);

    const {details, part} = await planned(pass);
    const message = {action: 'DeployStart', commitRef: released, deployEnv: 'Production', imageTag: released};
    expect(details.get('message')).toBe(JSON.stringify(message));
    expect(details.get('topic')).toBe(`arn:aws:sns:${region}:${account}:pass-deploy`);
    const [published] = pass.world.published;
    expect(published?.message).toBe(JSON.stringify({default: JSON.stringify(message)}));
    expect(details.get('size')).toBe(`${published?.message.length} of 262144 bytes`);
    expect(part?.notes).toContainEqual(expect.stringMatching(/\/version answers 200 1\.13\.2 now$/));
    expect(ends(await pass.record())).toEqual({'pass-core': 'verified'});
  });

  test('finds nothing to do where the new version answers already', async () => {
    const pass = await start();
    pass.application.version = released;
    expect(await release(pass)).toMatchObject({exitCode: 0, output: expect.stringContaining('nothing to do')});
    expect(pass.messages()).toEqual([]);
  });

  test('whose effect somebody else has brought about meanwhile publishes nothing: nothing could be seen to come of it', async () => {
    const pass = await start();
    const {io, component, plan} = await bench(pass);
    expect(await component.recheck(plan, io)).toBeUndefined();
    pass.application.version = released;
    expect(await component.recheck(plan, io)).toMatch(/\/version answers 1\.14\.0 already$/);
    const [publish] = component.steps(plan);
    await expect(publish?.request(io, new Map())).rejects.toMatchObject({means: 'Nothing was published.', final: true});
    expect(pass.messages()).toEqual([]);
  });

  test('whose effect does not come in time is unknown; going on looks again, and sends nothing', async () => {
    const pass = await start({redeploys: false, ...settings({verify: verifyOf('1m')})});
    expect((await release(pass)).exitCode).toBe(7);
    expect(pass.messages()).toHaveLength(1);

    expect((await resume(pass)).exitCode).toBe(7);
    pass.application.version = released;
    expect((await resume(pass)).exitCode).toBe(0);
    expect(pass.messages()).toHaveLength(1);
  });

  test('whose answer was lost is unknown until the effect is seen, and is not sent twice', async () => {
    const pass = await start({redeploys: false});
    pass.world.fail({action: 'Publish', kind: 'lost-answer'});
    const {exitCode, output} = await release(pass);
    expect(exitCode).toBe(7);
    expect(output).toContain('Looking cannot tell whether it happened');
    expect((await resume(pass)).exitCode).toBe(7);
    expect(pass.messages()).toHaveLength(1);

    pass.application.version = released;
    expect((await resume(pass)).exitCode).toBe(0);
    expect(pass.messages()).toHaveLength(1);
  });
});

const verifyOf = (within: string) => ({http: '${values.url}/version', expect: '${version}', within});

describe('verify: none', () => {
  test('ends as triggered, not proven; a second message takes its own permission', async () => {
    const pass = await start(settings({verify: 'none'}));
    expect(await release(pass)).toMatchObject({exitCode: 0, output: expect.stringContaining('triggered, not proven')});
    expect(ends(await pass.record())).toEqual({'pass-core': 'not proven'});

    const again = await release(pass);
    expect(again).toMatchObject({exitCode: 3, output: expect.stringContaining('republish')});
    // Nor has a release of something else made it any less so.
    expect((await release(pass, {component: ['grant-loader']})).exitCode).toBe(0);
    expect((await release(pass)).exitCode).toBe(3);
    expect(pass.messages()).toHaveLength(1);
    expect((await release(pass, {allow: ['republish']})).exitCode).toBe(0);
    expect(pass.messages()).toHaveLength(2);
  });

  test('has to be written', () => {
    const {verify: _, ...rest} = {kind: 'sns-trigger', topic: 'pass-deploy', message: {}, verify: 'none'};
    expect(() => bindComponent('sns-trigger', 'pass-core', rest)).toThrow(/either `none`, or \{http, expect, within\}/);
  });
});

describe('a FIFO topic', () => {
  const attributes = {FifoTopic: 'true'};

  test('gets a group, and a deduplication id that is another one each time it is meant', async () => {
    const pass = await start(settings({topic: 'pass-deploy.fifo', verify: 'none'}));
    const heard: string[] = [];
    const topic = pass.world.createTopic({name: 'pass-deploy.fifo', attributes});
    pass.world.onPublish(topic, ({message}) => void heard.push(message));
    expect((await release(pass)).exitCode).toBe(0);
    expect((await release(pass, {allow: ['republish']})).exitCode).toBe(0);
    // Within five minutes SNS swallows a message with the same id.
    expect(heard).toHaveLength(2);
    const requests = eventsOf(await pass.record(), 'intent').map(({request}) => JSON.stringify(request));
    expect(requests).toEqual([expect.stringMatching(/"deduplication":"1\.14\.0-\d{8}T\d{9}"/)]);
    expect((await planned(pass)).details.get('group')).toBe('pass');
  });

  test('takes no group that SNS would refuse', async () => {
    const pass = await start(settings({topic: 'pass-deploy.fifo', group: '${values.deployEnv} ${version}'}));
    await expect(release(pass)).rejects.toThrow(/at most 128 printable characters, without spaces/);
  });
});

describe('a message that SNS would not take is refused in words', () => {
  test('longer than the topic’s own limit, attributes counted', async () => {
    const pass = await start(settings({topic: 'small', attributes: {trace: 'x'.repeat(900)}}));
    pass.world.createTopic({name: 'small', attributes: {MaximumMessageSize: '1024'}});
    const {exitCode, output} = await release(pass);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/the message has 10\d\d bytes, the topic takes 1024/);
  });

  test('to a topic of another region', async () => {
    const pass = await start(settings({topic: `arn:aws:sns:eu-west-1:${account}:pass-deploy`}));
    expect(await release(pass)).toMatchObject({exitCode: 1, output: expect.stringContaining('in its own region only')});
  });

  test('with an expectation that the old version would meet', async () => {
    const pass = await start(settings({verify: {...verifyOf('1m'), expect: 'PASS'}}));
    expect(await release(pass)).toMatchObject({exitCode: 1, output: expect.stringContaining('does not name the version')});
  });

  test('encrypted with a key that the caller may not use', async () => {
    const pass = await start();
    pass.world.fail({action: 'Publish', kind: {code: 'KMSAccessDenied', status: 400, message: 'no'}});
    const {exitCode, output} = await release(pass);
    expect(exitCode).toBe(1);
    expect(output).toMatch(/the topic .*:pass-deploy is encrypted, and the caller may not use its key/);
    expect(output).toContain('kms:GenerateDataKey and kms:Decrypt');
    expect(pass.messages()).toEqual([]);
  });

  test('and where nobody would hear of it, it says so', async () => {
    const pass = await start(settings({topic: 'deserted', verify: 'none'}));
    pass.world.createTopic({name: 'deserted'});
    await release(pass);
    const checks = eventsOf(await pass.record(), 'check').map(({check}) => check);
    expect(checks).toContainEqual(
      expect.objectContaining({
        claim: 'pass-core topic',
        status: 'warned',
        found: expect.stringContaining('nobody would hear of it'),
      }),
    );
  });
});

describe('what comes from the environment', () => {
  const token = 'tok-9f3c41a1b2';
  const message = {action: 'DeployStart', imageTag: '${version}', token: '${env:PASS_TOKEN}'};

  test('is in the message, and on no screen and in no record; a resumed run sends it as it is', async () => {
    const pass = await start({
      ...settings({message, verify: {...verifyOf('10s'), http: '${values.url}/version?key=${env:PASS_TOKEN}'}}),
      redeploys: false,
      env: {PASS_TOKEN: token},
    });
    // Refused at first: the message is sent by the run that goes on, from what the record kept.
    pass.world.fail({action: 'Publish', kind: 'reset'});
    const {output} = await release(pass);
    expect(pass.messages()).toEqual([]);
    expect(output).toContain('•••');
    expect(output).not.toContain(token);
    const {folder} = await pass.record();
    expect(await readFile(join(folder, 'record.ndjson'), 'utf8')).not.toContain(token);

    const {io, component, plan} = await bench(pass);
    expect(JSON.stringify(plan)).toContain(token);
    const safe = redactedOf(plan, token);
    const [publish] = component.steps(safe);
    if (publish === undefined) throw new Error('nothing is published');
    await publish.perform(io, await publish.request(io, new Map()));
    expect(pass.messages()).toEqual([{action: 'DeployStart', imageTag: released, token}]);
  });

  test('must be what was approved when it is sent', async () => {
    const pass = await start({...settings({message}), env: {PASS_TOKEN: token}});
    const {component, io, plan} = await bench(pass);
    const {io: later, component: now} = await bench(pass, {PASS_TOKEN: 'another-one'});
    const [publish] = now.steps(plan);
    if (publish === undefined) throw new Error('nothing is published');
    const request = await publish.request(later, new Map());
    // Whoever knows that it was sent can say so: all that is known of it then is that.
    expect(publish.assume?.(request)).toEqual({messageId: null});
    const error: unknown = await publish.perform(later, request).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(DeployError);
    expect(error).toMatchObject({message: expect.stringContaining('the message is not the one that was approved'), final: true});
    expect(pass.messages()).toEqual([]);
    expect(component.id).toBe('pass-core');
    expect(io.version).toBe(released);
  });
});

describe('the way back', () => {
  test('is the same message with the version before, also where the old answer is still there', async () => {
    const pass = await start({redeploys: false});
    const {io, component} = await bench(pass);
    const observed = await component.observe(io);
    expect(observed).toMatchObject({version: before, state: {version: before}});
    expect(observed?.digests).toEqual({
      'pass-core': pass.world.putImage('pass-core', before),
      'pass-ui': pass.world.putImage('pass-ui', before),
    });

    const back = await component.plan({is: 'state', version: before, state: observed?.state ?? null}, io, new Map());
    expect(back.changes).toMatchObject([{risk: 'trigger', flags: []}]);
    expect(back.notes).toEqual([expect.stringContaining('that this message was acted on will not be seen')]);
    const [publish] = component.steps(back);
    if (publish === undefined) throw new Error('nothing is published');
    await publish.perform(io, await publish.request(io, new Map()));
    expect(pass.messages()).toEqual([{action: 'DeployStart', commitRef: before, deployEnv: 'Production', imageTag: before}]);
    const [claim] = component.claims(back, new Map());
    expect(claim && (await component.check(claim, io))).toMatchObject({status: 'passed', found: `200 ${before}`});
  });

  test('is not taken without being asked for', async () => {
    const pass = await start();
    expect((await bench(pass)).component.revert).toBe('ask');
  });
});

test('only a statement that a topic is not made with lets others publish', () => {
  const policy = (statement: object) => JSON.stringify({Version: '2008-10-17', Statement: [statement]});
  const made = {Sid: '__default_statement_ID', Effect: 'Allow', Principal: {AWS: '*'}, Action: ['SNS:Publish']};
  expect(letsPublish(policy(made))).toBe(false);
  expect(letsPublish(policy({...made, Sid: 'deployers'}))).toBe(true);
  expect(letsPublish(policy({Effect: 'Allow', Action: 'sns:*'}))).toBe(true);
  expect(letsPublish(policy({Effect: 'Deny', Action: 'sns:Publish'}))).toBe(false);
  expect(letsPublish(policy({Effect: 'Allow', Action: 'SNS:Subscribe'}))).toBe(false);
  expect(letsPublish('')).toBe(false);
});

/** The component in this process, bound with the released version. */
async function bench(
  pass: Pass,
  env: Readonly<Record<string, string>> = {},
): Promise<{io: Io; component: Component<Io>; plan: Awaited<ReturnType<Component<Io>['plan']>>}> {
  const {context} = deskAt({folder: pass.folder, env: {...pass.env, ...env}});
  const {loaded} = await openApplication(context, undefined);
  const world = worldOf(context, {loaded, version: released, scratch: pass.folder});
  const io = world.ioFor({component: 'pass-core', phase: 'apply'}, createStop());
  const [component] = bindComponents(loaded, context, {environment: 'production', version: released, components: only});
  if (component === undefined) throw new Error('there is no pass-core');
  return {io, component, plan: await component.plan({is: 'release', version: released}, io, new Map())};
}

/** As a record has it. */
function redactedOf<T>(value: T, secret: string): T {
  const redaction = createRedaction();
  redaction.learn(secret);
  return redaction.deep(value);
}
