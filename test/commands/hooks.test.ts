/** The config's hooks and notifications, on a release of PASS: real commands, a real server. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {releaseCommand} from '../../src/commands/release.ts';
import {type Pass, startPass as start} from '../support/pass.ts';
import {eventsOf} from '../support/program.ts';
import {serve} from '../tools/server.ts';
import {deskAt, speed, unattended} from './support/desk.ts';

type Settings = Readonly<Record<string, unknown>>;

const {execPath: node} = process;

/** A hook that writes down what it was told, and ends as it should. */
const telling = (file: string, exitCode = 0): readonly string[] => [
  node,
  '-e',
  `const {readFileSync, writeFileSync} = require('node:fs');
   const told = Object.fromEntries(Object.entries(process.env).filter(([name]) => /^DEPLOY_WIZARD_|^AWS_REGION$/.test(name)));
   writeFileSync(process.argv[1], JSON.stringify({told, cwd: process.cwd(), event: JSON.parse(readFileSync(0, 'utf8'))}));
   console.log('said by the hook: ' + process.env.DEPLOY_TOKEN);
   process.exit(Number(process.argv[2]));`,
  file,
  String(exitCode),
];

function startPass(settings: Settings, env: Readonly<Record<string, string>> = {}): Promise<Pass> {
  return start({speed, env, config: config => void Object.assign(config, settings)});
}

const loaderOnly = {component: ['grant-loader'], allow: ['update']} as const;

async function hooks(pass: Pass): Promise<readonly string[]> {
  return eventsOf(await pass.record(), 'hook').map(({hook, status, text}) => `${hook} ${status}: ${text}`);
}

describe('hooks', {timeout: 60_000}, () => {
  test('are told what is going on, in the folder of the config file; what they say is in the log, without secrets', async () => {
    // Where notifications go is a secret, whoever says it.
    const pass = await startPass(
      {
        hooks: [{before: 'apply', run: telling('told.json')}],
        notify: [{url: '${env:DEPLOY_TOKEN}', on: ['failed']}],
      },
      {DEPLOY_TOKEN: 'https://chat.example.edu/sesame'},
    );
    const desk = deskAt(pass);
    expect(await releaseCommand(desk.context, unattended(loaderOnly)), desk.stderr()).toBe(0);
    const told = JSON.parse(await readFile(join(pass.folder, 'told.json'), 'utf8'));
    const {run, folder} = await pass.record();
    expect(told).toMatchObject({
      cwd: expect.stringMatching(/application$/),
      told: {
        DEPLOY_WIZARD_HOOK: 'before apply',
        DEPLOY_WIZARD_PHASE: 'apply',
        DEPLOY_WIZARD_APPLICATION: 'pass',
        DEPLOY_WIZARD_ENVIRONMENT: 'production',
        DEPLOY_WIZARD_VERSION: '1.14.0',
        DEPLOY_WIZARD_RUN: run,
        DEPLOY_WIZARD_KIND: 'release',
        DEPLOY_WIZARD_COMPONENTS: 'grant-loader',
        AWS_REGION: 'us-east-1',
      },
      event: {
        schema: 1,
        hook: 'before apply',
        when: 'before',
        phase: 'apply',
        run,
        by: {user: 'jo', host: 'laptop'},
        components: [{id: 'grant-loader', kind: 'ecs-scheduled-task'}],
        plan: {components: [{component: 'grant-loader', from: '1.13.2', to: '1.14.0', risk: 'update'}]},
      },
    });
    expect(await readFile(join(folder, 'logs', 'release.apply.log'), 'utf8')).toBe('said by the hook: •••\n');
    const docs = await readFile(new URL('../../docs/hooks.md', import.meta.url), 'utf8');
    for (const name of [...Object.keys(told.told), 'DEPLOY_WIZARD_OUTCOME']) expect(docs).toContain(`\`${name}\``);
    expect(await hooks(pass)).toEqual([expect.stringMatching(/^before apply started: /), 'before apply succeeded: done']);
    expect(desk.stderr()).toContain('✔ hook before apply: done');
  });

  test('that say no before apply: nothing is applied, and it is said why and where to look', async () => {
    const pass = await startPass({
      hooks: [
        {before: 'apply', run: telling('told.json', 3)},
        {on: 'failure', run: telling('failed.json')},
      ],
    });
    const desk = deskAt(pass);
    expect(await releaseCommand(desk.context, unattended(loaderOnly))).toBe(1);
    expect(desk.stdout()).toMatch(/hook before apply: .* ended with exit code 3\. apply was not begun\./);
    expect(pass.changes()).toEqual([]);
    expect(JSON.parse(await readFile(join(pass.folder, 'failed.json'), 'utf8'))).toMatchObject({
      told: {DEPLOY_WIZARD_HOOK: 'on failure', DEPLOY_WIZARD_OUTCOME: 'failed'},
      event: {when: 'failure', outcome: 'failed', exitCode: 1, ends: []},
    });
  });

  test('that only warn, hang, or are not there: the release goes on, and says so', async () => {
    const hanging = [node, '-e', 'process.on("SIGTERM", () => 0); setInterval(() => 0, 1000)'];
    const pass = await startPass({
      hooks: [
        {before: 'plan', run: ['no-such-program'], failure: 'warn'},
        {before: 'apply', run: hanging, within: '1s', failure: 'warn'},
        {after: 'verify', on: 'failure', run: ['false']},
        {after: 'verify', run: ['true']},
      ],
    });
    const desk = deskAt(pass);
    expect(await releaseCommand(desk.context, unattended(loaderOnly)), desk.stderr()).toBe(0);
    expect((await hooks(pass)).filter(line => !line.includes(' started: '))).toEqual([
      'before plan warned: no-such-program is not installed, or not in a folder of PATH.',
      expect.stringMatching(/^before apply warned: .* does not end though it was asked to: it is left to itself$/),
      'after verify succeeded: done',
    ]);
  });

  test('after a phase that went wrong: those for failures, with what went wrong', async () => {
    const pass = await startPass({
      hooks: [
        {after: 'apply', run: ['false']},
        {after: 'apply', on: 'failure', run: telling('told.json')},
      ],
    });
    pass.world.fail({action: 'PutTargets', kind: {code: 'AccessDeniedException', message: 'not you'}, times: 9});
    expect(await releaseCommand(deskAt(pass).context, unattended(loaderOnly))).toBe(1);
    expect((await hooks(pass)).map(line => line.split(':')[0])).toEqual(['after apply started', 'after apply succeeded']);
    const {event} = JSON.parse(await readFile(join(pass.folder, 'told.json'), 'utf8'));
    expect(event).toMatchObject({when: 'after', phase: 'apply', trouble: {what: expect.stringContaining('PutTargets')}});
  });

  test('do not run for a plan', async () => {
    const pass = await startPass({hooks: [{before: 'preflight', run: ['false']}]});
    expect(await releaseCommand(deskAt(pass).context, unattended({dryRun: true}))).toBe(0);
  });

  test.each([
    ['a shell line', {before: 'apply', run: 'rm -rf x'}],
    ['no phase', {before: 'lunch', run: ['true']}],
    ['before and after', {before: 'apply', after: 'apply', run: ['true']}],
    ['no command', {before: 'apply', run: []}],
    ['a reference, which would end in the process list', {before: 'apply', run: ['notify', '${env:TOKEN}']}],
    ['a failure that blocks what has failed', {on: 'failure', run: ['true'], failure: 'block'}],
  ])('%s is a mistake in the config file', async (_what, hook) => {
    const pass = await startPass({hooks: [hook]});
    await expect(releaseCommand(deskAt(pass).context, unattended())).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/yaml:\d+:\d+: .*hooks\.0/),
    });
  });
});

describe('notifications', {timeout: 60_000}, () => {
  test('tell of a release as chat services and programs take it, in order', async () => {
    const bodies = new Map<string, unknown[]>();
    await using server = await serve(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
      const path = request.url ?? '';
      bodies.set(path, [...(bodies.get(path) ?? []), JSON.parse(Buffer.concat(chunks).toString('utf8'))]);
      response.end();
    });
    const pass = await startPass(
      {
        notify: [{url: '${env:SLACK_URL}'}, {url: `${server.url}/json`, format: 'json', on: ['approved', 'finished', 'failed']}],
      },
      {SLACK_URL: `${server.url}/secret-slack-hook`},
    );
    const desk = deskAt(pass, {user: '<!channel> & jo'});
    expect(await releaseCommand(desk.context, unattended(loaderOnly)), desk.stderr()).toBe(0);
    const {run, folder} = await pass.record();
    expect(bodies.get('/secret-slack-hook')).toEqual([
      {text: 'pass 1.14.0 → production: release started by &lt;!channel&gt; &amp; jo@laptop'},
      {text: 'pass 1.14.0 → production: approved by policy (update)'},
      {text: 'pass 1.14.0 → production: passed, 1 of 1 components on 1.14.0'},
    ]);
    expect(bodies.get('/json')).toMatchObject([
      {schema: 1, event: 'approved', run},
      {
        schema: 1,
        event: 'finished',
        application: 'pass',
        environment: 'production',
        version: '1.14.0',
        kind: 'release',
        outcome: 'passed',
        exitCode: 0,
        components: [{component: 'grant-loader', end: 'verified'}],
      },
    ]);
    const record = await readFile(join(folder, 'record.ndjson'), 'utf8');
    expect(`${record}${desk.stdout()}${desk.stderr()}`).not.toContain('secret-slack-hook');
  });

  test.each([
    ['nobody listens', 'http://127.0.0.1:9/secret-path', 'connection refused'],
    ['no URL is set', undefined, 'the environment variable SLACK_URL is not set'],
  ])('are never in the way: %s', async (_what, url, words) => {
    const pass = await startPass({notify: [{url: '${env:SLACK_URL}'}]}, url === undefined ? {} : {SLACK_URL: url});
    const desk = deskAt(pass);
    expect(await releaseCommand(desk.context, unattended(loaderOnly)), desk.stderr()).toBe(0);
    expect(desk.stderr().match(/nobody was told/g)).toHaveLength(1);
    expect(desk.stderr()).toContain(words);
    expect(desk.stderr()).not.toContain('secret-path');
  });

  test('that nobody answers are waited for no longer than one may take', async () => {
    const {createNotifier} = await import('../../src/commands/notify.ts');
    await using server = await serve(() => undefined);
    const notices: string[] = [];
    const notifier = createNotifier(
      {env: {}},
      {
        targets: [{url: server.url, format: 'json', on: ['started', 'failed']}],
        learnSecret: () => undefined,
        notice: text => notices.push(text),
        limitMs: 100,
      },
    );
    const {testRelease} = await import('../support/world.ts');
    const release = testRelease({core: {requires: ['session']}});
    release.world.requirements.set('session', ['failed']);
    await release.go();
    release.record().events.forEach(notifier.tell);
    const before = performance.now();
    await notifier.settle();
    expect(performance.now() - before).toBeLessThan(1000);
    expect(notices).toEqual(['notify: nobody was told: no answer in time']);
  });
});
