/** Ctrl-C while Terraform applies, as a person at a terminal has it: asked first, one interrupt on purpose, a second one for whoever types its price. */
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, dirname, join} from 'node:path';
import {execa} from 'execa';
import {expect, onTestFinished, test} from 'vitest';
import {type Records, runProgram, theRecord, until} from '../support/program.ts';
import {part, requires} from '../support/requires.ts';
import {type WizardTerminal, openWizard} from '../support/wizard-terminal.ts';
import {type HttpState, httpState} from '../tools/terraform/http-state.ts';

const secret = 'hunter2-S3CRET';

/** An instance that takes as long to start as the file `hold` is there; its state may be slow to save, and says who has locked it. */
const module = (settings: string) => `terraform {
  backend "http" {
${settings}  }
}
variable "image_tag" {
  type = string
}
variable "password" {
  type      = string
  sensitive = true
}
resource "terraform_data" "first" {
  input = var.image_tag
}
resource "terraform_data" "instance" {
  triggers_replace = [var.image_tag]
  depends_on       = [terraform_data.first]
  provisioner "local-exec" {
    command = "echo with \${var.password}; while test -e hold; do touch held; sleep 0.05; done"
  }
}
`;

interface App {
  readonly state: HttpState;
  readonly records: Records;
  open(args: readonly string[]): WizardTerminal;
  run(args: readonly string[]): ReturnType<typeof runProgram>;
  /** Whether the new instance waits to be let go. */
  isHeld(): boolean;
  /** Every byte of the record and the logs. */
  recorded(): Promise<string>;
}

/** Deployed by hand as 0.7.1. */
async function deployed(): Promise<App> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'dw-interrupts-')));
  // What Terraform had started may still be writing there.
  onTestFinished(() => rm(root, {recursive: true, force: true, maxRetries: 10}));
  const state = await httpState();
  const files = {
    'ci/main.tf': module(state.settings),
    'ci/terraform.tfvars': `image_tag = "0.7.1"\npassword  = "${secret}"\n`,
    'deploy-wizard.config.yaml': `application: app
environments: { production: { policy: { allow: [outage, update] } } }
components: { service: { kind: terraform, directory: ci, set: { image_tag: "\${version}" }, lockTimeout: 1s } }
`,
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), {recursive: true});
    await writeFile(join(root, name), text);
  }
  const {path} = part('terraform');
  const env = {
    PATH: [dirname(path), process.env['PATH'] ?? ''].join(delimiter),
    HOME: root,
    LANG: 'C.UTF-8',
    TMPDIR: root,
    XDG_STATE_HOME: join(root, 'state'),
    CHECKPOINT_DISABLE: '1',
  };
  const terraform = (...args: readonly string[]) => execa(path, args, {cwd: join(root, 'ci'), env, extendEnv: false});
  await terraform('init', '-no-color');
  await terraform('apply', '-auto-approve', '-no-color');
  await writeFile(join(root, 'ci', 'hold'), '');
  const records: Records = {root: join(root, 'state', 'deploy-wizard', 'app'), environment: 'production'};
  return {
    state,
    records,
    open: args => openWizard(args, {cwd: root, env, columns: 120, rows: 40}),
    run: args => runProgram(args, {cwd: root, env}),
    isHeld: () => existsSync(join(root, 'ci', 'held')),
    recorded: async () => {
      const entries = await readdir(records.root, {recursive: true, withFileTypes: true});
      const texts = entries.filter(entry => entry.isFile()).map(({parentPath, name}) => readFile(join(parentPath, name), 'utf8'));
      return (await Promise.all(texts)).join('\n');
    },
  };
}

const release = ['--env', 'production', '--release', '0.7.2', '--component', 'service'];
const word = 'the state stays locked';

async function expectInterruptedTwice({state, records, run, recorded}: App, terminal: WizardTerminal): Promise<void> {
  expect(await terminal.exited).toMatchObject({exitCode: 130});
  const shown = terminal.scrollback();
  expect(shown).toContain('Terraform was interrupted twice, and exited at once.');
  expect(shown).toContain('the state is probably still locked');
  expect(shown).toContain('terraform force-unlock');
  expect(shown).toContain('image_tag = 0.7.2; not committed yet');
  expect((await theRecord(records)).events.at(-1)).toMatchObject({outcome: 'interrupted', exitCode: 130, touched: true});
  expect(state.isLocked()).toBe(true);
  expect(await recorded()).not.toContain(secret);
  expect(terminal.printed()).not.toContain(secret);

  // Whoever comes next is told.
  const next = await run(['--yes', ...release]);
  expect(next.exitCode, `${next.stdout}${next.stderr}`).toBe(4);
  expect(next.stdout).toContain('terraform force-unlock');
}

/** As a person does: right after an answer the terminal still belongs to the question, for a moment. */
async function pressUntil(terminal: WizardTerminal, key: string, shown: RegExp): Promise<void> {
  for (let tries = 1; ; tries++) {
    terminal.press(key);
    try {
      return await terminal.waitFor(shown, 5000);
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}

requires('terraform')('Interrupting Terraform', () => {
  test('a second time takes the words that name what stays locked, in the wizard', async () => {
    const app = await deployed();
    const wizard = app.open(release);
    await wizard.waitFor('What would change');
    wizard.press('enter');
    await wizard.waitFor('Type production to release it');
    wizard.press('production');
    await wizard.waitFor('enter releases to production');
    wizard.press('enter');
    await until(app.isHeld, 'the new instance');
    app.state.hold();

    wizard.press('ctrl+c');
    await wizard.waitFor('Stop this release?');
    await wizard.waitFor('is destroyed, the new one is being created');
    wizard.press('s');
    await until(app.state.isHeld, 'the state on its way');
    wizard.press('ctrl+c');
    await wizard.waitFor('i interrupt it again');
    wizard.press('i');
    await wizard.waitFor(`Type: ${word}`);
    expect(wizard.screen()).toContain('the state of ci (workspace default) stays locked');
    expect(wizard.screen()).toContain('terraform force-unlock <id>');
    wizard.press('the state');
    await wizard.waitFor('▸ the state▏');
    wizard.press('enter');
    expect(app.state.isLocked()).toBe(true);
    wizard.press(word.slice('the state'.length));
    await wizard.waitFor('enter interrupt it again');
    wizard.press('enter');
    await expectInterruptedTwice(app, wizard);
  });

  test('is asked on plain lines too: Enter goes on, a choice stops it once, and words a second time', async () => {
    const app = await deployed();
    const lines = app.open(['--no-tui', ...release]);
    await lines.waitFor('Type production to release');
    lines.press('production');
    lines.press('enter');
    await until(app.isHeld, 'the new instance');
    await until(async () => (await app.recorded()).includes('terraform_data.instance: Creating'), 'the wizard to have read it');
    lines.press('ctrl+c');
    await lines.waitFor(/Stop this release\?[^]*❯ go on/);
    expect(lines.scrollback()).toContain('service: The old terraform_data.instance is destroyed, the new one is being created');
    lines.press('enter');
    await lines.waitFor('Stop this release? go on');
    expect(app.isHeld()).toBe(true);

    app.state.hold();
    await pressUntil(lines, 'ctrl+c', /Stop this release\? *\n❯ go on/);
    lines.press('down');
    await lines.waitFor(/❯ stop/);
    lines.press('enter');
    await until(app.state.isHeld, 'the state on its way');
    lines.press('ctrl+c');
    await lines.waitFor(`Type ${word} to interrupt it a second time`);
    expect(lines.scrollback().replaceAll('\n', '')).toContain('stays locked for everybody');
    lines.press(word);
    lines.press('enter');
    await expectInterruptedTwice(app, lines);
  });
});
