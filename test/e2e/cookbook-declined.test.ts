import {expect, test} from 'vitest';
import {expectNothingLeft, project} from '../support/cookbook.ts';
import {eventsOf} from '../support/program.ts';
import {requires} from '../support/requires.ts';

const release = ['--yes', '--env', 'production', '--bump', 'patch'] as const;

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('A release that is declined', () => {
  test('by policy leaves files, git and environment as they were; allowed later, it uses the image that was pushed', async () => {
    const app = await project();
    const before = await app.world();

    const refused = await app.run(release);
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain('--allow outage:service');
    expect(refused.stdout).toContain('The environment was not touched');

    const after = await app.world();
    const pushed = after.registry['0.7.2'];
    expect(pushed).toMatch(/^sha256:/);
    expect(after).toEqual({...before, registry: {...before.registry, '0.7.2': pushed}});
    expect(await app.starts()).toEqual(['0.7.1']);
    const record = await app.record();
    expect(eventsOf(record, 'approval.refused')).toMatchObject([{because: expect.stringContaining('--allow outage:service')}]);
    expect(record.events.at(-1)).toMatchObject({outcome: 'refused', exitCode: 3, touched: false});
    await expectNothingLeft(app);

    const {exitCode, stderr} = await app.run([...release, '--allow', 'outage']);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('reused');
    expect(await app.digest('0.7.2')).toBe(pushed);
  });

  test('leaves what else the operator is at work on as it was: staged, unstaged and new', async () => {
    const app = await project({git: '{ commit: true, allowDirty: true }'});
    await app.write('NOTES.md', 'To be released soon.\n');
    await app.git('add', 'NOTES.md');
    await app.write('Dockerfile', `${await app.read('Dockerfile')}# mine\n`);
    await app.write('dmsa/new.txt', 'new\n');
    const before = await app.world();

    const refused = await app.run(release);
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toContain('the image’s revision label will end in -dirty');
    expect(await app.world()).toEqual({...before, registry: {...before.registry, '0.7.2': expect.stringMatching(/^sha256:/)}});
  });

  test('at the terminal, by any other word than the environment, leaves everything as it was', async () => {
    const app = await project();
    const before = await app.world();

    const terminal = app.startInTerminal(['--no-tui', '--env', 'production', '--bump', 'patch']);
    await terminal.waitFor('What goes along?');
    terminal.type('\r');
    for (const phase of ['bump', 'build', 'push']) {
      await terminal.waitFor(`Start ${phase}?`);
      terminal.type('\r');
    }
    await terminal.waitFor('outage: terraform_data.instance');
    await terminal.waitFor('Type production to release');
    terminal.type('Production\r');

    expect(await terminal.exitCode).toBe(3);
    expect(terminal.printed()).toContain('the answer was not exactly "production"');
    const after = await app.world();
    expect(after).toEqual({...before, registry: {...before.registry, '0.7.2': expect.stringMatching(/^sha256:/)}});
    expect((await app.record()).events.at(-1)).toMatchObject({outcome: 'refused', exitCode: 3, touched: false});
    await expectNothingLeft(app);
  });

  test.for([
    {keys: 'Ctrl-D', typed: '\u0004', exitCode: 3, outcome: 'refused'},
    {keys: 'Ctrl-C', typed: '\u0003', exitCode: 130, outcome: 'interrupted'},
  ])('at the terminal, by $keys at the confirmation, leaves everything as it was', async ({typed, exitCode, outcome}) => {
    const app = await project();
    const before = await app.world();
    const terminal = app.startInTerminal(['--no-tui', '--env', 'production', '--bump', 'patch', '--component', 'service']);
    for (const phase of ['bump', 'build', 'push']) {
      await terminal.waitFor(`Start ${phase}?`);
      terminal.type('\r');
    }
    await terminal.waitFor('Type production to release');
    terminal.type(typed);

    expect(await terminal.exitCode).toBe(exitCode);
    expect(await app.world()).toEqual({...before, registry: {...before.registry, '0.7.2': expect.stringMatching(/^sha256:/)}});
    expect((await app.record()).events.at(-1)).toMatchObject({type: 'run.finished', outcome, touched: false});
  });

  test('by the end of the input, with something left to say: nothing is started, and the flag is named', async () => {
    const app = await project();
    const before = await app.files();
    for (const {args, exitCode, names} of [
      {args: ['--bump', 'patch'], exitCode: 2, names: '--env'},
      {args: ['--env', 'production'], exitCode: 3, names: '--release <version> or --bump <part>'},
      {args: ['--env', 'production', '--bump', 'patch'], exitCode: 3, names: '--component <id>'},
    ]) {
      expect(await app.run(args)).toMatchObject({exitCode, stderr: expect.stringContaining(names)});
      expect(await app.files()).toEqual(before);
    }
  });

  test('by the end of the input at the first question of the run: nothing is started', async () => {
    const app = await project();
    const before = await app.world();

    const ended = await app.run(['--env', 'production', '--bump', 'patch', '--component', 'service']);
    expect(ended.exitCode).toBe(3);
    expect(await app.world()).toEqual(before);
    expect((await app.record()).events.at(-1)).toMatchObject({outcome: 'refused', touched: false});
  });
});
