/** What the records are good for: gates, ticks, status, log, adoption, and audits of what is not the newest any more. */
import {cp, readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {adoptCommand} from '../../src/commands/adopt.ts';
import {openApplication} from '../../src/commands/application.ts';
import {type AuditOptions, auditCommand} from '../../src/commands/audit.ts';
import {logCommand} from '../../src/commands/log.ts';
import {type ReleaseOptions, releaseCommand} from '../../src/commands/release.ts';
import {statusCommand} from '../../src/commands/status.ts';
import {createSurvey} from '../../src/commands/survey.ts';
import {tickCommand} from '../../src/commands/tick.ts';
import type {Clock} from '../../src/release/contract.ts';
import {DeployError} from '../../src/release/errors.ts';
import {
  type Pass,
  type PassConfig,
  type PassOptions,
  before,
  cluster,
  families,
  image,
  keepOnly,
  loaderTarget,
  registration,
  released,
  repositories,
  startPass,
  taskDefinitionArn,
} from '../support/pass.ts';
import {eventsOf} from '../support/program.ts';
import {deskAt, speed, unattended} from './support/desk.ts';

/** What one command has written, and how it ended. */
interface Said {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** PASS, and everybody who works on it: they share a clock. */
interface Team {
  readonly pass: Pass;
  release(more?: Partial<ReleaseOptions>): Promise<Said>;
  audit(version?: string, options?: AuditOptions): Promise<Said>;
  tick(item: string, more?: {env?: string; note?: string; link?: string; release?: string}): Promise<Said>;
  status(more?: {live?: boolean; env?: string}): Promise<Said>;
  log(more?: {number?: number; output?: 'json' | 'auto'}): Promise<Said>;
  adopt(more?: {env?: string; release?: string; yes?: boolean; reason?: string; types?: string}): Promise<Said>;
  /** Runs a command as it is. */
  at(folder?: string): ReturnType<typeof deskAt>;
}

async function team(config: (config: PassConfig) => void = () => undefined, options: PassOptions = {}): Promise<Team> {
  const pass = await startPass({speed, config, ...options});
  const {clock} = deskAt(pass).context;
  const at = (folder = pass.folder) => deskAt({folder, env: pass.env}, {clock: clock satisfies Clock});
  const run = async (command: (desk: ReturnType<typeof deskAt>) => Promise<number>): Promise<Said> => {
    const desk = at();
    const exitCode = await command(desk).catch((error: unknown) => {
      if (!(error instanceof DeployError)) throw error;
      desk.context.stderr.write(`${[error.message, ...error.next].join('\n')}\n`);
      return error.exitCode;
    });
    return {exitCode, stdout: desk.stdout(), stderr: desk.stderr()};
  };
  const env = 'production';
  return {
    pass,
    at,
    release: more => run(({context}) => releaseCommand(context, unattended(more))),
    audit: (version, more) => run(({context}) => auditCommand(context, version, {env, ...more})),
    tick: (item, more) => run(({context}) => tickCommand(context, item, {env, release: released, ...more})),
    status: more => run(({context}) => statusCommand(context, {live: false, output: 'auto', ...more})),
    log: more => run(({context}) => logCommand(context, {env, number: 20, output: 'auto', ...more})),
    adopt: ({types, ...more} = {}) =>
      run(desk => {
        // Not the end of it: a pipe that ends is no answer.
        if (types !== undefined) desk.context.stdin.push(types);
        return adoptCommand(desk.context, {env, yes: true, ...more});
      }),
  };
}

const checklist = [
  {id: 'release-notes', when: 'before', text: 'Release notes merged'},
  {id: 'acceptance', when: 'after', text: 'Acceptance tests run'},
];

describe('the checklist', {timeout: 60_000}, () => {
  const component = ['grant-loader'];

  test('stands before a release until it is ticked, and stays in its audit', async () => {
    const {pass, release, tick, audit} = await team(config => Object.assign(config, {checklist}));
    const refused = await release({component});
    expect(refused.exitCode).toBe(3);
    expect(refused.stdout).toContain(`deploy-wizard tick release-notes --env production --release ${released}`);
    expect(pass.changes()).toEqual([]);

    const unknown = await tick('realease-notes');
    expect(unknown).toMatchObject({exitCode: 2, stderr: expect.stringContaining('Did you mean release-notes?')});
    expect(await tick('release-notes', {note: 'merged as #12', link: 'https://example.org/12'})).toMatchObject({exitCode: 0});
    expect(await release({component})).toMatchObject({exitCode: 0});

    const proof = await audit();
    expect(proof.exitCode).toBe(0);
    expect(proof.stdout).toMatch(
      /✔ Release notes merged \(before the release\): ticked by jo on laptop, .*: merged as #12 \(https:\/\/example\.org\/12\)/,
    );
    expect(proof.stdout).toContain(
      '○ Acceptance tests run (after the release): it is not ticked\n      deploy-wizard tick acceptance',
    );

    // Ten people at once, and none of them in another's way.
    const all = await Promise.all(Array.from({length: 10}, (_, number) => tick('acceptance', {note: `by ${number}`})));
    expect(all.map(({exitCode}) => exitCode)).toEqual(Array.from({length: 10}, () => 0));
    const ticked = await audit();
    expect(ticked).toMatchObject({exitCode: 0, stdout: expect.stringContaining('✔ Acceptance tests run')});
    expect(ticked.stdout).toContain('Everything is as the record says.');
  });

  test('is let through by name, with a reason, and every audit says so', async () => {
    const {release, audit, log} = await team(config => Object.assign(config, {checklist}));
    expect(await release({component, override: ['checklist']})).toMatchObject({exitCode: 2});
    expect(await release({component, override: ['checklist'], reason: 'hot fix'})).toMatchObject({exitCode: 0});
    const proof = await audit();
    expect(proof.exitCode).toBe(0);
    expect(proof.stdout).toMatch(/⚠ Release notes merged .*let through by jo@laptop: hot fix/);
    expect((await log()).stdout).toContain('hot fix');
  });

  test('is ticked while a run writes its record, and the record stays whole', async () => {
    const {pass, release, tick, audit} = await team(config => Object.assign(config, {checklist: [checklist[1]]}));
    const ticks: Promise<Said>[] = [];
    pass.world.onPublish('arn:aws:sns:us-east-1:333333333333:pass-deploy', () => void ticks.push(tick('acceptance')));
    expect(await release({component: ['pass-core']})).toMatchObject({exitCode: 0});
    await Promise.all(ticks);
    expect(await audit()).toMatchObject({exitCode: 0, stdout: expect.stringContaining('✔ the record is intact')});
  });
});

describe('promotion', {timeout: 60_000}, () => {
  const component = ['nihms-loader'];

  test('is refused with every reason, and let through only by name; the audit never forgets', async () => {
    const {pass, release, audit} = await team(config => {
      const {production} = config.environments;
      config.environments = {staging: {...production}, production: {...production, requires: [{env: 'staging'}]}};
    });
    const refused = await release({component});
    expect(refused.exitCode).toBe(3);
    expect(refused.stdout).toContain(`${released} was never released to staging`);
    expect(refused.stdout).toContain(`Release it there first: deploy-wizard --env staging --release ${released}`);
    expect(refused.stderr).toContain('--override promotion --reason <text>');
    expect(pass.changes()).toEqual([]);

    expect(await release({component, override: ['promotion'], reason: 'staging is down'})).toMatchObject({exitCode: 0});
    const letThrough = /⚠ .*was never released to staging.*let through by jo@laptop: staging is down/;
    expect(await audit()).toMatchObject({exitCode: 0, stdout: expect.stringMatching(letThrough)});

    // Released once more when the gate is open, it is still what was let through before.
    expect(await release({env: 'staging', component})).toMatchObject({exitCode: 0});
    pass.world.putTargets({name: 'nihms-weekly'}, [{...loaderTarget('loader', taskDefinitionArn('pass-nihms-loader:1'))}]);
    expect(await release({component})).toMatchObject({exitCode: 0});
    const later = await audit();
    expect(later).toMatchObject({exitCode: 0, stdout: expect.stringMatching(letThrough)});
    expect(later.stdout).toMatch(/✔ 1\.14\.0 is verified in staging/);
  });
});

describe('promotion, as staging has it', {timeout: 60_000}, () => {
  const component = ['grant-loader'];
  const gated = (requirement: Readonly<Record<string, unknown>>) =>
    team(config => {
      const {production} = config.environments;
      Object.assign(config, {checklist: [checklist[0]]});
      config.environments = {
        staging: {...production},
        production: {...production, requires: [{env: 'staging', ...requirement}]},
      };
    });

  test('is not open for what somebody let through there, not before its time, and not for another image', async () => {
    const {pass, release, tick} = await gated({for: '12h'});
    const staging = {env: 'staging', component};
    const refusal = async () => {
      const {exitCode, stdout} = await release({component});
      expect(exitCode).toBe(3);
      return stdout;
    };
    await tick('release-notes');
    expect(await release({...staging, override: ['checklist'], reason: 'hot fix'})).toMatchObject({exitCode: 0});
    expect(await refusal()).toContain('grant-loader: in staging jo@laptop let through: ');
    expect(
      await release({...staging, release: before, allow: ['downgrade'], override: ['checklist'], reason: 'again'}),
    ).toMatchObject({
      exitCode: 0,
    });
    await tick('release-notes', {env: 'staging'});
    expect(await release(staging)).toMatchObject({exitCode: 0});
    expect(await refusal()).toMatch(/it has been in staging for .*, it takes 12 h\n +It is open in /);
    pass.world.putImage('jhu-grant-loader', released, 'another one');
    expect(await refusal()).toMatch(/jhu-grant-loader:1\.14\.0 is another image here than in staging: sha256:\w+, not sha256:/);
    expect(pass.messages()).toEqual([]);
  });

  test('is open from the first day for what was adopted there', async () => {
    const {release, tick, adopt} = await gated({});
    await tick('release-notes', {release: before});
    expect(await release({release: before})).toMatchObject({
      exitCode: 3,
      stdout: expect.stringContaining(`${before} was never released to staging`),
    });
    expect(await adopt({env: 'staging', reason: 'as it runs'})).toMatchObject({exitCode: 0});
    expect(await release({release: before})).toMatchObject({exitCode: 0, stdout: expect.stringContaining('nothing to do')});
  });
});

describe('what came after', {timeout: 60_000}, () => {
  test('an audit of an older release says what has taken its place; status, log and drift say where things stand', async () => {
    const {pass, release, audit, status, log} = await team(config => {
      config.environments = {
        ...config.environments,
        staging: {
          aws: {accountId: '222222222222', region: 'us-east-1'},
          values: {deployEnv: 'S', cluster, url: 'http://127.0.0.1:9'},
        },
      };
      keepOnly(config, 'pass-core', 'deposit-services', 'nihms-loader');
    });
    for (const repository of repositories) pass.world.putImage(repository, '1.15.0');
    expect(await release()).toMatchObject({exitCode: 0});
    expect(await release({release: '1.15.0', component: ['pass-core', 'deposit-services']})).toMatchObject({exitCode: 0});

    // A part of it still stands, and is looked at.
    const partly = await audit(released);
    expect(partly.exitCode).toBe(0);
    expect(partly.stdout).toMatch(/○ deposit-services is as it was released: superseded by 1\.15\.0 \(run .*-1\.15\.0, /);
    expect(partly.stdout).toContain('✔ rule nihms-weekly starts pass-nihms-loader:2');
    expect(await release({release: '1.15.0', component: ['nihms-loader']})).toMatchObject({exitCode: 0});
    const wholly = await audit(released);
    expect(wholly).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/\nSuperseded by 1\.15\.0 \(run .*\)\. What of it can be looked at/),
    });

    const shown = await status();
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toMatch(/^pass +production +staging\npass-core +1\.15\.0 \w{8} +-\n/);
    expect(shown.stdout).toMatch(/1\.15\.0 since .* by jo \(release .*\): nihms-loader\n/);
    expect(shown.stdout).toContain('staging\n  nothing is recorded');

    pass.world.putTargets({name: 'nihms-weekly'}, [
      {
        Id: 'loader',
        Arn: 'arn:aws:ecs:us-east-1:333333333333:cluster/pass',
        EcsParameters: {TaskDefinitionArn: taskDefinitionArn('pass-nihms-loader:1')},
      },
    ]);
    const live = await status({live: true});
    expect(live.exitCode).toBe(0);
    expect(live.stdout).toContain('⚠ nihms-loader: is 1.13.2, recorded is 1.15.0');
    expect(live.stdout).toContain('production ⚠ mixed');

    pass.world.expireCredentials();
    const unseen = await status({live: true});
    expect(unseen).toMatchObject({exitCode: 0, stdout: expect.stringContaining('the AWS credentials have ended')});
    expect(unseen.stdout).toMatch(/pass-core +1\.15\.0/);
    pass.world.renewCredentials();

    // Records that cannot be relied on are named where they stand.
    const {runs}: {runs: {run: string}[]} = JSON.parse((await log({output: 'json'})).stdout);
    expect(runs).toMatchObject([
      {version: '1.15.0', outcome: 'passed', kind: 'release', by: {user: 'jo'}},
      {version: '1.15.0'},
      {
        version: released,
        components: expect.any(Array),
        durationMs: expect.any(Number),
        head: {hash: expect.stringMatching(/^[0-9a-f]{64}$/)},
      },
    ]);
    const [, second, third] = runs;
    await edit(pass, second?.run, text => text.replace('"user":"jo"', '"user":"mo"'));
    await edit(pass, third?.run, text => text.replace('"schema":1', '"schema":2'));
    const lines = (await log()).stdout.split('\n');
    expect(lines[0]).toMatch(/^✔ \S+ \S+ +1\.15\.0 +release +passed +(?:\d+ (?:h|min|s) ?)+ +jo@laptop +\S+-1\.15\.0$/);
    expect(lines.filter(line => line.startsWith('✖'))).toHaveLength(2);
    expect(lines.join('\n')).toMatch(/it was changed by somebody: line 2[^]*was written by a newer deploy-wizard/);
  });
});

test(
  'what a failed release was taken back to is where it stands, though nothing else was ever recorded',
  {timeout: 60_000},
  async () => {
    const {pass, release, status, at} = await team();
    pass.world.scenarioFor('deposit-services', 'breaker-rollback');
    expect(await release({component: ['deposit-services', 'grant-loader']})).toMatchObject({exitCode: 1});
    for (const live of [false, true]) {
      const {stdout} = await status({live});
      expect(stdout).toMatch(/^deposit-services +1\.13\.2(?: \w{8})?$/m);
      expect(stdout).toMatch(/^grant-loader +1\.14\.0 \w{8}$/m);
      expect(stdout).toMatch(/1\.13\.2 since \S+ by jo \(release \S+, taken back\): deposit-services\n/);
      expect(stdout).not.toMatch(/⚠ deposit-services/);
    }
    // The wizard says the same before anybody chooses.
    const {context} = at();
    const application = await openApplication(context, undefined);
    const {runs} = await createSurvey(context, application.loaded, () => Promise.resolve(application), []).recall('production');
    expect(runs).toEqual([
      {component: 'deposit-services', version: before},
      {component: 'grant-loader', version: released},
    ]);
  },
);

async function edit({records}: Pass, run: string | undefined, change: (text: string) => string): Promise<void> {
  const file = join(records.root, records.environment, run ?? '', 'record.ndjson');
  await writeFile(file, change(await readFile(file, 'utf8')));
}

test('an audit works from any checkout that reaches the store', {timeout: 60_000}, async () => {
  const {pass, release, at} = await team();
  expect(await release()).toMatchObject({exitCode: 0});
  // How to look is known while it runs already: where it fails, somebody goes on by hand.
  const proofs = eventsOf(await pass.record(), 'check').filter(
    ({job, check}) => job.phase === 'verify' && check.status === 'passed',
  );
  expect(proofs.map(({check: {see}}) => see)).toEqual(proofs.map(() => expect.stringMatching(/^(?:aws|curl) /)));
  const other = `${pass.folder}-elsewhere`;
  await cp(pass.folder, other, {recursive: true});
  const desk = at(other);
  const changes = pass.changes().length;
  expect(await auditCommand(desk.context, undefined, {env: 'production', format: 'json'}), desk.stdout()).toBe(0);
  expect(pass.changes()).toHaveLength(changes);
  // Every line: what was expected, what was seen, when, and how to see it.
  const {groups}: {groups: {checks: Record<string, string>[]}[]} = JSON.parse(desk.stdout());
  const checks = groups.flatMap(group => group.checks);
  expect(checks.find(({id}) => id === 'approval')?.['seen']).toMatch(/^by policy \(jo on laptop\), \S+Z/);
  expect(checks.length).toBeGreaterThan(20);
  for (const check of checks) {
    expect(check).toMatchObject({
      id: expect.any(String),
      status: 'passed',
      expected: expect.stringMatching(/./),
      seen: expect.stringMatching(/./),
      at: expect.stringMatching(/Z$/),
      see: expect.stringMatching(/^(?:aws|cat|curl|docker|deploy-wizard) /),
    });
  }
  const [markdown, junit] = [at(other), at(other)];
  await auditCommand(markdown.context, undefined, {env: 'production', format: 'markdown'});
  expect(markdown.stdout().match(/^- \[x\] /gm)).toHaveLength(checks.length);
  await auditCommand(junit.context, undefined, {env: 'production', format: 'junit'});
  expect(junit.stdout()).toContain(`tests="${checks.length}" failures="0" skipped="0"`);
});

describe('adopting', {timeout: 60_000}, () => {
  test('what runs there becomes the baseline: status, audit and the next release know it', async () => {
    const {adopt, status, audit, pass} = await team();
    expect(await adopt({})).toMatchObject({exitCode: 2, stderr: expect.stringContaining('needs --reason')});
    const declined = await adopt({yes: false, types: 'yes\n'});
    expect(declined).toMatchObject({exitCode: 3});
    expect((await status()).stdout).toContain('nothing is recorded');

    expect(await adopt({yes: false, types: 'production\n'})).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining(`adopted as ${before}`),
    });
    expect((await status()).stdout).toMatch(/pass-core +1\.13\.2/);
    expect(await audit()).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /✔ somebody attested what was found: jo on laptop, [^]*✔ deposit-services is as it was attested/,
      ),
    });
    pass.application.version = '1.13.9';
    expect(await audit()).toMatchObject({
      exitCode: 5,
      stdout: expect.stringContaining('✖ pass-core is as it was attested: it is 1.13.9, it was 1.13.2'),
    });
    expect(pass.changes().filter(action => /^(?:Register|Update|Put|Publish)/.test(action))).toEqual([]);
  });

  test('components on different versions are adopted only as the version that somebody names', async () => {
    const {adopt, status, pass} = await team();
    pass.application.version = '1.13.9';
    const refused = await adopt({reason: 'as it is'});
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toMatch(/the components are on different versions\n1\.13\.9: pass-core\n1\.13\.2: deposit-services, /);
    expect(await adopt({reason: 'as it is', release: before})).toMatchObject({exitCode: 0});
    expect((await status()).stdout).toMatch(/production ⚠ mixed\npass-core +1\.13\.9/);
  });
});

test('sixty components are audited within five seconds', {timeout: 120_000}, async () => {
  const ids = Array.from({length: 60}, (_, number) => `service-${number}`);
  const {pass, release, audit} = await team(config => {
    config.components = Object.fromEntries(
      ids.map(id => [id, {kind: 'ecs-service', cluster, service: id, images: {app: 'ecr/app'}}]),
    );
  });
  for (const tag of [before, released]) pass.world.putImage('app', tag);
  for (const id of ids) {
    pass.world.createService({
      cluster,
      service: id,
      taskDefinition: pass.world.registerTaskDefinition(registration(id, 'app', image('app', before))),
      desiredCount: 1,
    });
  }
  expect(families.length).toBeLessThan(ids.length);
  expect(await release({maxParallel: 60})).toMatchObject({exitCode: 0});
  const began = performance.now();
  expect(await audit()).toMatchObject({exitCode: 0});
  expect(performance.now() - began).toBeLessThan(5000);
});
