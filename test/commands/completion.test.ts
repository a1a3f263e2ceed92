/** Completion, as shells ask for it: the program's own answers, and the scripts in real shells. */
import {spawnSync} from 'node:child_process';
import {mkdir, mkdtemp, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {beforeAll, describe, expect, onTestFinished, test} from 'vitest';
import {completionScripts} from '../../src/commands/completion.ts';
import {passYaml} from '../config/samples.ts';
import {launcher, runProgram} from '../support/program.ts';

let cwd: string;
const env = () => ({PATH: process.env['PATH'] ?? '', HOME: cwd});

beforeAll(async () => {
  cwd = await mkdtemp(path.join(tmpdir(), 'dw-completion-'));
  await writeFile(path.join(cwd, 'deploy-wizard.config.yaml'), passYaml);
  // As `bin` of the package has it.
  await mkdir(path.join(cwd, 'bin'));
  await symlink(launcher, path.join(cwd, 'bin', 'deploy-wizard'));
  // Versions come from the names of runs.
  await mkdir(path.join(cwd, '.local/state/deploy-wizard/pass/staging/2026-01-15T12-00-00Z-1.14.0-RC2'), {recursive: true});
  return () => rm(cwd, {recursive: true, force: true});
});

async function complete(...words: readonly string[]): Promise<readonly string[]> {
  const {exitCode, stdout, stderr} = await runProgram(['complete', '--', ...words], {cwd, env: env()});
  expect({exitCode, stderr}).toEqual({exitCode: 0, stderr: ''});
  return stdout.split('\n').flatMap(line => (line === '' ? [] : [line.split('\t')[0] ?? '']));
}

describe('the program knows', {timeout: 30_000}, () => {
  test.each([
    ['commands', ['s'], ['status', 'store', 'schema']],
    ['options of a command', ['audit', '--f'], ['--format']],
    ['only options that mean something there', ['audit', '--c'], ['--config']],
    ['choices of an option', ['audit', '--format', 'm'], ['markdown']],
    ['choices behind an equals sign', ['audit', '--format=j'], ['--format=json', '--format=junit']],
    ['choices of an argument', ['lock', 'a'], ['acquire']],
    ['environments', ['--env', ''], ['staging', 'production']],
    ['environments, by the short name', ['plan', '-e', 'p'], ['production']],
    ['components', ['--env', 'staging', '--component', 'n'], ['notification-services']],
    ['risks and flags', ['--allow', 'over'], ['overwrite-tag', ...componentsOf('overwrite-tag')]],
    ['items of the checklist', ['tick', ''], ['acceptance']],
    ['gates', ['--override', 'c'], ['checklist']],
    ['examples to start from', ['init', '--preset', ''], ['pass', 'cookbook']],
    ['versions that were released there', ['audit', '--env', 'staging', '1'], ['1.14.0-RC2']],
    ['nothing of what nobody knows', ['--reason', 'be'], []],
    ['nothing behind the last argument', ['schema', ''], []],
  ])('%s', async (_what, words, expected) => {
    expect(await complete(...words)).toEqual(expected);
  });

  test('that files are wanted, in a line that says nothing else', async () => {
    const {stdout} = await runProgram(['complete', '--', '--config', 'd'], {cwd, env: env()});
    expect(stdout).toBe(':files\n');
  });

  function componentsOf(flag: string): readonly string[] {
    return ['pass-core', 'deposit-services', 'notification-services', 'journal-loader'].map(id => `${flag}:${id}`);
  }

  test('nothing of a config file that is wrong, and does not say so', async () => {
    const wrong = await mkdtemp(path.join(tmpdir(), 'dw-completion-'));
    onTestFinished(() => rm(wrong, {recursive: true, force: true}));
    await writeFile(path.join(wrong, 'deploy-wizard.config.yaml'), 'application: [');
    const answer = await runProgram(['complete', '--', '--env', ''], {cwd: wrong, env: env()});
    expect(answer).toEqual({exitCode: 0, stdout: '', stderr: ''});
  });

  test('itself is hidden', async () => {
    expect(await complete('c')).toEqual(['completion']);
    const {stdout} = await runProgram(['--help'], {cwd, env: env()});
    expect(stdout).not.toMatch(/^ {2}complete /m);
  });
});

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;

/** What a shell makes of a line, one candidate a line. */
function inShell(shell: 'bash' | 'zsh' | 'fish', script: string): readonly string[] {
  const {stdout, stderr, status} = spawnSync(
    shell,
    [...(shell === 'fish' ? ['--no-config'] : ['-f', '+m'].slice(0, shell === 'zsh' ? 1 : 0)), '-c', script],
    {
      cwd,
      env: {...env(), PATH: `${path.join(cwd, 'bin')}:${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}`},
      encoding: 'utf8',
    },
  );
  expect({status, stderr}).toEqual({status: 0, stderr: ''});
  return stdout.split('\n').filter(line => line !== '');
}

describe('in bash', {timeout: 30_000, skip: !has('bash')}, () => {
  /** As readline calls it: with the line, the place of the cursor, and the words as it splits them. */
  const atBash = (line: string) =>
    inShell(
      'bash',
      `${completionScripts.bash}
COMP_LINE=${JSON.stringify(line)} COMP_POINT=${line.length}
_deploy_wizard
printf '%s\\n' "\${COMPREPLY[@]}"`,
    );

  test.each([
    ['deploy-wizard st', ['status', 'store']],
    ['deploy-wizard status --env ', ['staging', 'production']],
    ['deploy-wizard --allow outage:dep', ['deposit-services']],
    ['deploy-wizard --config deploy', ['deploy-wizard.config.yaml']],
  ])('%j', (line, expected) => {
    expect(atBash(line)).toEqual(expected);
  });

  test('the script is what `completion bash` prints, and says how to use it', async () => {
    const {stdout} = await runProgram(['completion', 'bash'], {cwd, env: env()});
    expect(stdout).toBe(completionScripts.bash);
    expect(stdout).toContain('source <(deploy-wizard completion bash)');
  });
});

describe('in fish', {timeout: 30_000, skip: !has('fish')}, () => {
  test('it completes commands and environments', () => {
    const at = (line: string) =>
      inShell('fish', `${completionScripts.fish}\ncomplete -C ${JSON.stringify(line)}`).map(text => text.split('\t')[0]);
    expect(at('deploy-wizard st')).toEqual(['status', 'store']);
    expect(at('deploy-wizard status --env p')).toEqual(['production']);
  });
});

describe('in zsh', {timeout: 30_000, skip: !has('zsh')}, () => {
  test('the script is one, and hands the candidates on with what they are', () => {
    const shown = inShell(
      'zsh',
      `compdef() { : }; _describe() { print -l -- "\${(@P)2}"; }; _files() { print files; }
${completionScripts.zsh}
words=(deploy-wizard st) CURRENT=2; _deploy_wizard
words=(deploy-wizard --config d) CURRENT=3; _deploy_wizard`,
    );
    expect(shown.at(0)).toMatch(/^status:what runs where/);
    expect(shown.at(-1)).toBe('files');
  });
});
