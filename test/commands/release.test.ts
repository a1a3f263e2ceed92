/** The release command, in this process, on PASS. What the whole program does on real parts is told in test/e2e. */
import {access, mkdir, readFile, rmdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import * as fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {auditCommand} from '../../src/commands/audit.ts';
import {openApplication} from '../../src/commands/application.ts';
import {releaseCommand, releaseOf} from '../../src/commands/release.ts';
import {resumeCommand} from '../../src/commands/resume.ts';
import {NewerRecordError, emptyHead, seal} from '../../src/record/chain.ts';
import {fileCell} from '../../src/record/file-cell.ts';
import {parseHead} from '../../src/record/file-store.ts';
import {takeLock} from '../../src/record/lock.ts';
import {DeployError} from '../../src/release/errors.ts';
import {runEvent} from '../../src/release/events.ts';
import {type Pass, type PassOptions, standing, startPass as start} from '../support/pass.ts';
import {eventsOf} from '../support/program.ts';
import {deskAt, speed, unattended} from './support/desk.ts';
import {readChain} from '../support/read-chain.ts';

const startPass = (options: PassOptions = {}) => start({speed, ...options});

/** Where one component proves as much as six. */
const component = ['grant-loader'];

const resuming = {yes: true, output: 'auto', tui: true, maxParallel: 4, allow: []} as const;

/** What a command says when it refuses: exit code and words. */
async function refusal(command: Promise<number>): Promise<{exitCode: number; message: string; next: string}> {
  const error = await command.then(
    code => new Error(`it ended with ${code}`),
    (error: unknown) => error,
  );
  if (!(error instanceof DeployError)) throw error;
  return {exitCode: error.exitCode, message: error.message, next: error.next.join(' ')};
}

/** The record of the newest run, as a file. */
async function recordOf(pass: Pass): Promise<{file: string; text: string; head: string}> {
  const {folder} = await pass.record();
  const file = join(folder, 'record.ndjson');
  return {file, text: await readFile(file, 'utf8'), head: join(folder, 'head.json')};
}

/** Of a real record, whichever byte is another one. */
async function everyByteCounts(pass: Pass): Promise<void> {
  const {file, head} = await recordOf(pass);
  const [bytes, written] = [await readFile(file), parseHead(await readFile(head, 'utf8'))];
  expect(readChain(bytes, written).problems).toEqual([]);
  fc.assert(
    fc.property(fc.nat({max: bytes.length - 1}), fc.integer({min: 1, max: 255}), (at, change) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ change;
      expect(isUntouched(changed, written)).toBe(false);
    }),
    {numRuns: 200},
  );
}

function isUntouched(...record: Parameters<typeof readChain>): boolean {
  try {
    return readChain(...record).problems.length === 0;
  } catch (error) {
    // A byte of its schema, and it is one that a newer version wrote.
    if (error instanceof NewerRecordError) return false;
    throw error;
  }
}

async function audit(pass: Pass, version?: string): Promise<{exitCode: number; said: string}> {
  const {context, stdout} = deskAt(pass);
  const exitCode = await auditCommand(context, version, {env: 'production'});
  return {exitCode, said: stdout()};
}

describe('a release and its audit', {timeout: 60_000}, () => {
  test('goes out, is proved, and has nothing to do the second time', async () => {
    const pass = await startPass();
    const {context, stdout, stderr} = deskAt(pass);
    expect(await releaseCommand(context, unattended())).toBe(0);
    expect(stdout()).toMatch(/^\npass 1\.14\.0 → production: passed in .*, 6 of 6 components on 1\.14\.0\n/);
    expect(stdout()).toContain('deploy-wizard audit 1.14.0 --env production');
    expect(stderr()).toContain('✔ approved by policy (trigger, update)');

    const proof = await audit(pass, '1.14.0');
    expect(proof.exitCode).toBe(0);
    expect(proof.said).toContain('Everything is as the record says.');
    expect(proof.said).not.toMatch(/[✖○⚠]/);
    await everyByteCounts(pass);

    const changes = pass.changes().length;
    const again = deskAt(pass);
    expect(await releaseCommand(again.context, unattended())).toBe(0);
    expect(again.stdout()).toContain('nothing to do');
    expect(pass.changes()).toHaveLength(changes);
    // An audit is about the release that did something, and the run that did nothing says the same.
    expect((await audit(pass, '1.14.0')).exitCode).toBe(0);
  });

  test('nothing was ever released: the audit says so', async () => {
    const pass = await startPass();
    const {exitCode, said} = await audit(pass, '1.14.0');
    expect(exitCode).toBe(5);
    expect(said).toContain('✖ there is a record: no release of 1.14.0 to production is recorded');
  });
});

describe('the lies that are told about a release', {timeout: 60_000}, () => {
  const cleanings: (() => Promise<unknown> | void)[] = [];
  afterAll(async () => {
    for (const clean of cleanings.toReversed()) await clean();
  });

  let pass: Pass;
  let written: Awaited<ReturnType<typeof recordOf>>;
  beforeAll(async () => {
    pass = await start({speed}, clean => void cleanings.push(clean));
    expect(await releaseCommand(deskAt(pass).context, unattended({component}))).toBe(0);
    written = await recordOf(pass);
  });

  /** The record as somebody has made it, while the test lasts. */
  async function rewrite(text: string, head?: string): Promise<void> {
    const headBefore = await readFile(written.head);
    onTestFinished(async () => {
      await writeFile(written.file, written.text);
      await writeFile(written.head, headBefore);
    });
    expect(text).not.toBe(written.text);
    await writeFile(written.file, text);
    if (head !== undefined) await writeFile(written.head, head);
  }

  test('before any of them, everything is as the record says', async () => {
    expect(await audit(pass)).toMatchObject({exitCode: 0, said: expect.stringContaining('Everything is as the record says.')});
  });

  test.each([
    [
      'a record in which a word was changed',
      (text: string) => text.replace('"user":"jo"', '"user":"mo"'),
      /✖ the record is intact: line 2: does not follow the line before it/,
    ],
    [
      'a record whose last line was changed',
      (text: string) => text.replace(/"text":"1 of 1/, '"text":"0 of 1'),
      /✖ the record is intact: line \d+: is not what the head names/,
    ],
    [
      'a record from which a line was taken',
      (text: string) => text.split('\n').toSpliced(5, 1).join('\n'),
      /✖ the record is intact: line 6: says it is number 7/,
    ],
  ])('%s: the audit finds it, and says which line', async (_what, lie, found) => {
    await rewrite(lie(written.text));
    const {exitCode, said} = await audit(pass);
    expect(exitCode).toBe(5);
    expect(said).toMatch(found);
    expect(said.match(/✖/g)).toHaveLength(1);
  });

  test('a record that was cut: the release never ended, and the audit says both', async () => {
    await rewrite(`${written.text.split('\n').slice(0, -2).join('\n')}\n`);
    const {exitCode, said} = await audit(pass);
    expect(exitCode).toBe(5);
    expect(said).toMatch(/✖ the record is intact: cut: the head names \d+ lines, there are \d+/);
    expect(said).toMatch(/✖ the release ended well: it never ended\n {6}deploy-wizard resume/);
  });

  test('a record without an approval, made anew by somebody who knows how: the chain is whole, and the approval is missing', async () => {
    let now = emptyHead;
    const forged = written.text
      .trim()
      .split('\n')
      .flatMap(line => {
        const {at}: {at: string} = JSON.parse(line);
        const event = runEvent.parse(JSON.parse(line));
        if (event.type === 'approval.given') return [];
        const sealed = seal(event, at, now);
        now = sealed.head;
        return [`${sealed.line}\n`];
      });
    await rewrite(forged.join(''), JSON.stringify(now));
    const {exitCode, said} = await audit(pass);
    expect(exitCode).toBe(5);
    expect(said).toContain('✔ the record is intact');
    expect(said).toContain('✖ the plan that was applied was approved: no approval is recorded');
    expect(said.match(/✖/g)).toHaveLength(1);
  });

  test('a record that a newer version wrote is not taken for anything else', async () => {
    await rewrite(written.text.replace('"schema":1', '"schema":2'));
    expect(await refusal(auditCommand(deskAt(pass).context, undefined, {env: 'production'}))).toMatchObject({
      exitCode: 1,
      message: expect.stringContaining('written by a newer deploy-wizard'),
    });
    expect(await refusal(resumeCommand(deskAt(pass).context, undefined, {...resuming, env: 'production'}))).toMatchObject({
      message: expect.stringContaining('written by a newer deploy-wizard'),
    });
  });

  test("an empty folder of a run that died at once is no record, and in nobody's way", async () => {
    const empty = join(pass.records.root, 'production', '2999-01-01T00-00-00Z-9.9.9');
    await mkdir(empty);
    onTestFinished(() => rmdir(empty));
    expect((await audit(pass)).exitCode).toBe(0);
  });
});

describe('a plan', {timeout: 60_000}, () => {
  test('says what would change, and writes nothing', async () => {
    const pass = await startPass();
    const {context, stdout} = deskAt(pass);
    const options = unattended({dryRun: true});
    expect(await releaseCommand(context, options)).toBe(0);
    expect(stdout()).toMatch(/\nPlan \w{4} \w{4}: 8 update, 1 trigger\n {2}pass-core {3}1\.13\.2 → 1\.14\.0 {3}trigger\n/);
    expect(stdout()).toContain('this is what would change');
    expect(pass.changes()).toEqual([]);
    await expect(access(pass.records.root)).rejects.toThrow('ENOENT');
  });

  test.each([
    ['something would change', {}, 2],
    ['nothing would', {release: '1.13.2'}, 0],
    ['it cannot be told', {release: '9.9.9'}, 1],
  ] as const)('as Terraform has it, when %s', async (_when, more, exitCode) => {
    const pass = await startPass();
    expect(
      await releaseCommand(deskAt(pass).context, unattended({dryRun: true, detailedExitcode: true, component, ...more})),
    ).toBe(exitCode);
  });
});

describe('what was not said or is not allowed', {timeout: 60_000}, () => {
  test.each([
    ['no environment', {env: undefined}, 3, 'an answer is missing: give --env <name>'],
    ['no version', {release: undefined}, 3, 'an answer is missing: give --release <version> or --bump <part>'],
    [
      'an environment that is not there',
      {env: 'prodction'},
      2,
      /^there is no environment "prodction" in .*deploy-wizard.config.yaml$/,
    ],
    ['a component that is not there', {component: ['pass-cor']}, 2, '--component pass-cor: there is no such component'],
    ['two versions', {bump: 'patch'}, 2, '--release and --bump: give one of the two'],
    ['no version at all', {release: 'v1'}, 2, '--release: "v1" has a leading "v"; write it without'],
    [
      'a bump of nothing',
      {release: undefined, env: undefined, bump: 'patch'},
      2,
      '--bump counts from what is deployed: give --env too',
    ],
    ['a risk that is none', {allow: ['everything']}, 2, '--allow everything: not a risk or a flag'],
    ['a wizard without a terminal', {output: 'tui', yes: false}, 2, '--output tui needs a terminal'],
    ['a wizard and nobody to ask', {output: 'tui'}, 2, '--output tui asks questions, --yes answers them: give one of the two'],
  ] as const)('%s', async (_what, more, exitCode, message) => {
    const pass = await startPass();
    const {context, stdout} = deskAt(pass);
    const given = Object.fromEntries(Object.entries({...unattended(), ...more}).filter(([, value]) => value !== undefined));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const refused = await refusal(releaseCommand(context, given as unknown as ReturnType<typeof unattended>));
    expect(refused.exitCode).toBe(exitCode);
    if (typeof message === 'string') expect(refused.message).toBe(message);
    else expect(refused.message).toMatch(message);
    expect(stdout()).toBe('');
    expect(pass.changes()).toEqual([]);
    await expect(access(pass.records.root)).rejects.toThrow('ENOENT');
  });

  test('there is no config file: what there is instead is named', async () => {
    const pass = await startPass();
    const {context} = deskAt({folder: pass.records.root, env: pass.env});
    const refused = await refusal(releaseCommand(context, unattended()));
    expect(refused).toMatchObject({exitCode: 2, message: expect.stringMatching(/^there is no deploy-wizard\.config\.yaml in /)});
    expect(refused.next).toContain('deploy-wizard demo');
  });

  test('policy does not allow it: refused, with the flags that would', async () => {
    const pass = await startPass({
      config: config =>
        void (config.environments['production'] = {...config.environments['production'], policy: {allow: ['trigger']}}),
    });
    const {context, stdout} = deskAt(pass);
    const service = ['deposit-services'];
    expect(await releaseCommand(context, unattended({component: service}))).toBe(3);
    expect(stdout()).toContain('REFUSED');
    expect(stdout()).toContain('--allow update:deposit-services');
    expect(pass.changes()).toEqual([]);

    const allowed = deskAt(pass);
    expect(await releaseCommand(allowed.context, unattended({component: service, allow: ['update']}))).toBe(0);
  });

  test('a variable of the process that is missing ends it before anything is recorded', async () => {
    const pass = await startPass({
      config: config => {
        const core = config.components['pass-core'] ?? {};
        core['topic'] = '${env:TOPIC}';
      },
    });
    const refused = await refusal(releaseCommand(deskAt(pass).context, unattended()));
    expect(refused).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('components.pass-core: ${env:TOPIC}: the environment variable TOPIC is not set'),
    });
    expect(
      await access(join(pass.records.root, 'production')).then(
        () => pass.record().catch(() => undefined),
        () => undefined,
      ),
    ).toBeUndefined();
  });

  test('somebody else is at work there: exit 4, and who', async () => {
    const pass = await startPass();
    const owner = {user: 'ann', host: 'elsewhere', pid: 1, work: 'release 2.0.0', since: '2026-01-15T12:00:00.000Z'};
    const lock = await takeLock(fileCell(join(pass.records.root, 'production')), owner, {environment: 'production'});
    onTestFinished(() => lock.release());
    const refused = await refusal(releaseCommand(deskAt(pass).context, unattended()));
    expect(refused).toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(/locked by ann on elsewhere .*for release 2\.0\.0/),
    });
    expect(pass.changes()).toEqual([]);
  });
});

describe('what goes where', {timeout: 60_000}, () => {
  test('--output json: events on stdout, a line each, and nothing else there', async () => {
    const pass = await startPass();
    const {context, stdout, stderr} = deskAt(pass);
    expect(await releaseCommand(context, unattended({output: 'json', component}))).toBe(0);
    const lines = stdout().trim().split('\n');
    for (const line of lines) expect(runEvent.safeParse(JSON.parse(line)).success).toBe(true);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({type: 'run.started'});
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({type: 'run.finished', exitCode: 0});
    expect(stderr()).toContain('passed in');
  });

  test('--bump counts from what is deployed', async () => {
    const pass = await startPass();
    const {context, stdout} = deskAt(pass);
    const {release: _, ...options} = unattended({bump: 'minor', dryRun: true, component});
    await releaseCommand(context, options);
    expect(stdout()).toContain('pass 1.14.0 → production');
  });

  test('a part of it: only that is planned, shown and released', async () => {
    const pass = await startPass();
    const {context, stdout} = deskAt(pass);
    expect(await releaseCommand(context, unattended({component: ['grant-loader', 'journal-loader']}))).toBe(0);
    expect(stdout()).toContain('2 of 2 components on 1.14.0');
    expect(pass.messages()).toEqual([]);
  });
});

describe('at a prompt', {timeout: 60_000}, () => {
  test('the end of the input is no answer: nothing is started, and what is missing is named', async () => {
    const pass = await startPass();
    const desk = deskAt(pass);
    desk.type('');
    const {env: _, release: __, ...options} = unattended({yes: false, tui: false});
    const refused = await refusal(releaseCommand(desk.context, options));
    expect(refused).toMatchObject({
      exitCode: 3,
      message: 'an answer is missing: give --env <name>',
      next: 'There are: production',
    });
  });

  test('the end of the input at the approval declines', async () => {
    const pass = await startPass();
    const desk = deskAt(pass);
    desk.type('');
    expect(await releaseCommand(desk.context, unattended({yes: false, tui: false, component}))).toBe(3);
    expect(desk.stdout()).toContain('REFUSED');
    expect(pass.changes()).toEqual([]);
  });
});

describe('going on', {timeout: 60_000}, () => {
  test('with nothing is refused', async () => {
    const pass = await startPass();
    expect(await refusal(resumeCommand(deskAt(pass).context, undefined, resuming))).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^there is nothing to go on with in production: /),
    });
    expect(await refusal(resumeCommand(deskAt(pass).context, 'yesterday', resuming))).toMatchObject({exitCode: 2});
  });

  test('with a run that is over is refused', async () => {
    const pass = await startPass();
    await releaseCommand(deskAt(pass).context, unattended({component}));
    const {run} = await pass.record();
    expect(await refusal(resumeCommand(deskAt(pass).context, run, resuming))).toMatchObject({
      exitCode: 2,
      message: `run ${run} is finished: there is nothing to go on with`,
    });
  });

  test('with one that was stopped: what was done is kept, the rest is done', async () => {
    const pass = await startPass();
    let interrupt: ((signal: 'SIGINT') => void) | undefined;
    const desk = deskAt(pass, {
      onSignal: listener => {
        interrupt = listener;
        return () => undefined;
      },
    });
    pass.world.onPublish('arn:aws:sns:us-east-1:333333333333:pass-deploy', () => interrupt?.('SIGINT'));
    expect(await releaseCommand(desk.context, unattended({component: ['pass-core', 'deposit-services', 'grant-loader']}))).toBe(
      130,
    );
    expect(desk.stdout()).toContain('INTERRUPTED');
    expect(desk.stdout()).toContain('deploy-wizard resume --env production');

    // Somebody has changed the file since: what was approved was approved with the settings of then.
    const file = join(pass.folder, 'deploy-wizard.config.yaml');
    const config = await readFile(file, 'utf8');
    await writeFile(file, config.replace('expect: ${version}', 'expect: never'));
    expect(await readFile(file, 'utf8')).not.toBe(config);
    const later = deskAt(pass);
    expect(await resumeCommand(later.context, undefined, {...resuming, allow: ['outage']})).toBe(0);
    expect(pass.messages()).toHaveLength(1);
    expect(later.stdout()).toContain('3 of 3 components on 1.14.0');
    for (const said of [later.stderr(), later.stdout()]) {
      expect(said).toContain('The config file has changed since this run began; it goes on with the one of then:');
      expect(said).toContain('components.pass-core.verify.expect: "never" now, "${version}" then');
    }
    expect(eventsOf(await pass.record(), 'run.resumed')).toMatchObject([
      {allow: ['outage'], configChanged: [expect.any(String)]},
    ]);
    expect((await audit(pass)).exitCode).toBe(0);
  });
});

describe('credentials that end in the middle', {timeout: 60_000}, () => {
  const ended = {code: 'ExpiredTokenException', message: 'The security token included in the request is expired'};
  const service = ['notification-services'];

  test('nobody waits for what this process can never see', async () => {
    const pass = await startPass();
    pass.world.fail({action: 'ListServiceDeployments', kind: ended});
    const {context, stdout} = deskAt(pass);
    expect(await releaseCommand(context, unattended({component: service}))).toBe(7);
    expect(stdout()).toContain('service notification-services runs notification-services:2: the AWS credentials have ended');
    expect(await resumeCommand(deskAt(pass).context, undefined, resuming)).toBe(0);
  });

  test('the revision that was registered before is the one that is used afterwards', async () => {
    const pass = await startPass();
    pass.world.fail({action: 'UpdateService', kind: ended});
    expect(await releaseCommand(deskAt(pass).context, unattended({component: service}))).toBe(1);
    expect(await releaseCommand(deskAt(pass).context, unattended({component: service}))).toBe(0);
    expect(await standing(pass)).toMatchObject({
      services: {'notification-services': 'notification-services:2'},
      revisions: {'notification-services': 2},
    });
  });
});

test('what does not work out after the end of a release is said, and is no end of it', {timeout: 60_000}, async () => {
  const checklist = [{id: 'acceptance', when: 'after', text: 'Acceptance tests run'}];
  const pass = await startPass({config: config => Object.assign(config, {checklist})});
  const desk = deskAt(pass);
  const {loaded, store} = await openApplication(desk.context, undefined);
  const forgetful = {
    ...store,
    runs: async (place: string) => (place.endsWith('.ticks') ? Promise.reject(new Error('connection reset')) : store.runs(place)),
  };
  expect(await releaseOf(desk.context, {loaded, store: forgetful}, unattended({component}))).toBe(0);
  expect(desk.stderr()).toContain('What is open of the checklist is not known: connection reset\n');
  expect(desk.stdout()).toMatch(/^\npass 1\.14\.0 → production: passed in /);
});

describe('a gate that is let through by name', () => {
  test.each([
    {override: ['promotion'], expected: /needs --reason/},
    {override: ['everything'], reason: 'none', expected: /--override everything: there is no such gate/},
  ])('$override $reason: refused before anything is started', async ({expected, ...more}) => {
    const pass = await startPass();
    const {exitCode, message} = await refusal(releaseCommand(deskAt(pass).context, unattended(more)));
    expect({exitCode, message}).toEqual({exitCode: 2, message: expect.stringMatching(expected)});
    expect(pass.changes()).toEqual([]);
  });
});
