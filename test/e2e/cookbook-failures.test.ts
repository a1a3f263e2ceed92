import {appendFile, chmod, readFile, readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {expect, test} from 'vitest';
import {z} from 'zod';
import {type Cookbook, type CookbookOptions, expectNothingLeft, expectReleased, project} from '../support/cookbook.ts';
import {type ProgramInTerminal, type RunRecord, commandIn, eventsOf, requestOf, until} from '../support/program.ts';
import {requires} from '../support/requires.ts';

const release = ['--yes', '--env', 'production', '--bump', 'patch', '--allow', 'outage'] as const;

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('A release that fails', () => {
  test('in a provisioner says what is down and what the files hold; the command that it recommends finishes it', async () => {
    const app = await project();
    const before = await app.world();
    await app.breakStarts(true);

    const failed = await app.run(release);
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toContain('FAILED');
    expect(failed.stdout).toContain('the instance does not come up');
    expect(failed.stdout).toContain('Destroyed, and not created anew: terraform_data.instance. What that did is down.');
    expect(failed.stdout).toContain('The tfvars file holds the new version already.');
    const bump = await app.git('rev-parse', '--short=12', 'HEAD');
    expect(failed.stdout).toContain(`The bump is committed as ${bump}, and is not pushed; it stays.`);

    // It is true.
    expect(await app.answer()).toBeUndefined();
    expect(await app.read('ci/terraform.tfvars')).toContain('image_tag     = "0.7.2"');
    expect(await app.git('status', '--porcelain')).toBe(' M ci/terraform.tfvars');
    expect(await app.git('log', '-1', '--format=%s')).toBe('Bump version to 0.7.2');
    const record = await app.record();
    expect(record.events.at(-1)).toMatchObject({
      type: 'run.finished',
      outcome: 'failed',
      exitCode: 1,
      touched: true,
      components: [{component: 'service', end: 'failed'}],
    });
    await expectNothingLeft(app);

    const audit = await app.run(['audit', '--env', 'production']);
    expect(audit.exitCode).toBe(5);
    expect(audit.stdout).toContain('failed:');

    // Its version is not what is deployed: nothing is counted up from it.
    const counted = await app.run(release);
    expect(counted).toMatchObject({exitCode: 2, stderr: expect.stringContaining('--release 0.7.2')});

    await app.breakStarts(false);
    const again = await app.run(commandIn(failed.stdout, 'Again'));
    expect(again.exitCode, `${again.stdout}${again.stderr}`).toBe(0);
    const released = await expectReleased(app, {version: '0.7.2', before, starts: 2});
    // What the files said was never there: the way back leads to what was.
    const [second] = eventsOf(released, 'plan.ready');
    expect(second?.plan.components[0]).not.toHaveProperty('from');
    expect(second?.plan.back).toMatchObject([{version: '0.7.1', state: {set: {image_tag: '0.7.1'}}}]);
  });

  test('in the build takes the bump back, and pushes nothing', async () => {
    const app = await project();
    await app.write('Dockerfile', (await app.read('Dockerfile')).replace('COPY dmsa', 'COPY dsma'));
    await app.git('commit', '--quiet', '--all', '--message', 'Misspell it');
    const before = await app.world();

    const failed = await app.run(release);
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toContain('dsma');
    expect(failed.stdout).toContain('The environment was not touched.');
    expect(await app.world()).toEqual(before);
    await expectNothingLeft(app);
  });

  test('in a hook that refuses the bump puts the version file back', async () => {
    const app = await project();
    await app.write('.git/hooks/pre-commit', '#!/bin/sh\necho "no releases on a Friday" >&2\nexit 1\n');
    await chmod(app.path('.git/hooks/pre-commit'), 0o755);
    const before = await app.world();

    const failed = await app.run(release);
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toContain('no releases on a Friday');
    expect(await app.world()).toEqual(before);
  });

  test('in a hook that refuses to commit tfvars has deployed all the same, and says so', async () => {
    const app = await project();
    const before = await app.world();
    await app.write(
      '.git/hooks/pre-commit',
      '#!/bin/sh\n! git diff --cached --name-only | grep -q tfvars || { echo "no tfvars" >&2; exit 1; }\n',
    );
    await chmod(app.path('.git/hooks/pre-commit'), 0o755);

    const failed = await app.run(release);
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toContain('no tfvars');
    expect(await app.answer()).toBe('0.7.2');
    expect(await app.git('status', '--porcelain')).toBe(' M ci/terraform.tfvars');

    await rm(app.path('.git/hooks/pre-commit'));
    const again = await app.run(commandIn(failed.stdout, 'Again'));
    expect(again.exitCode, `${again.stdout}${again.stderr}`).toBe(0);
    await expectReleased(app, {version: '0.7.2', before});
  });

  test('because somebody holds the lock of the state exits with 4, and takes the bump back', async () => {
    const app = await project({lockTimeout: '1s'});
    await app.hold();
    const other = app.terraform('apply', '-auto-approve', '-no-color', '-input=false', '-replace=terraform_data.instance');
    await until(app.isHeld, 'the other Terraform');
    const before = await app.world();

    const failed = await app.run(release);
    await app.letGo();
    await other;
    expect(failed.exitCode).toBe(4);
    expect(failed.stdout).toMatch(/root@|lock/i);
    const after = await app.world();
    expect(after.git).toEqual(before.git);
    expect(after.files).toEqual(before.files);
  });

  test('because the instance never answers does not know; once it does, resume proves it', async () => {
    const app = await project({within: '2s'});
    const before = await app.world();
    await app.putToSleep();

    const open = await app.run(release);
    expect(open.exitCode).toBe(7);
    expect(open.stdout).toContain(app.url);
    expect((await app.record()).events.at(-1)).toMatchObject({outcome: 'unknown', exitCode: 7, touched: true});

    await app.docker('start', app.container);
    const resumed = await app.run(commandIn(open.stdout, 'Go on').concat('--yes'));
    expect(resumed.exitCode, `${resumed.stdout}${resumed.stderr}`).toBe(0);
    await expectReleased(app, {version: '0.7.2', before});
  });

  test('because wizard, supervisor and Terraform were killed finds out what is left; the release can be run again', async () => {
    const app = await project();
    const before = await app.world();
    await app.hold();
    const running = app.start(release);
    await until(app.isHeld, 'the new instance');
    const folder = await applyFolder(app);
    const {pid: terraform}: {pid: number} = JSON.parse(await readFile(join(folder, 'pid.json'), 'utf8'));
    const {pid: supervisor}: {pid: number} = JSON.parse(await readFile(join(folder, 'claim'), 'utf8'));
    running.kill('SIGKILL');
    process.kill(supervisor, 'SIGKILL');
    process.kill(-terraform, 'SIGKILL');
    await running.ended;
    await app.letGo();

    const resumed = await app.run(['resume', '--yes', '--env', 'production']);
    expect(resumed.exitCode).toBe(1);
    expect(resumed.stdout).toContain('A new plan shows what is left to do: terraform_data.instance is created');
    expect(resumed.stdout).toContain('Destroyed, and not created anew: terraform_data.instance. What that did is down.');
    expect(await app.answer()).toBeUndefined();

    const again = await app.run(['--yes', '--env', 'production', '--release', '0.7.2', '--allow', 'outage', '--allow', 'create']);
    expect(again.exitCode, `${again.stdout}${again.stderr}`).toBe(0);
    await expectReleased(app, {version: '0.7.2', before, starts: 2});
  });
});

/** Where the supervised Terraform of the only run speaks to its wizard. */
async function applyFolder(app: Cookbook): Promise<string> {
  return z.object({folder: z.string()}).parse(requestOf(await app.record(), 'terraform-apply')).folder;
}

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('What changes while the plan is looked at', () => {
  /** Up to the question whether the plan may be carried out. */
  async function planned(app: Cookbook): Promise<ProgramInTerminal> {
    const terminal = app.startInTerminal(['--no-tui', '--env', 'production', '--bump', 'patch', '--component', 'service']);
    for (const phase of ['bump', 'build', 'push']) {
      await terminal.waitFor(`Start ${phase}?`);
      terminal.type('\r');
    }
    await terminal.waitFor('Type production to release');
    return terminal;
  }

  /** Whether it was asked again, and because of what. */
  const approvals = (record: RunRecord) =>
    eventsOf(record, 'question.asked').flatMap(({question}) =>
      question.about === 'approval' ? [[question.again, question.differences]] : [],
    );

  test('in the module stops the approval: planned anew; asked again, unless that does the same', async () => {
    const app = await project();
    const before = await app.world();
    await app.write('.git/info/exclude', 'ci/outputs.tf\nci/touched.tf\n');
    const terminal = await planned(app);

    await app.write('ci/outputs.tf', 'output "more" {\n  value = 1\n}\n');
    terminal.type('production\r');
    await terminal.waitFor('Output more: nothing → 1');
    await terminal.waitFor('Type production to release');
    await app.write('ci/touched.tf', '# mine\n');
    terminal.type('production\r');
    await terminal.waitFor('files of the module have changed: touched.tf (new)');
    await terminal.waitFor('planned anew, and it is what was approved: going on');
    expect(await terminal.exitCode).toBe(0);

    const record = await expectReleased(app, {version: '0.7.2', before});
    expect(eventsOf(record, 'plan.ready')).toHaveLength(3);
    expect(approvals(record)).toEqual([
      [false, undefined],
      [true, ['service: Output more: nothing → 1']],
    ]);
  });

  test('in the state by a colleague does so too, and so does the saved plan when it is another one', async () => {
    const app = await project();
    const before = await app.world();
    const terminal = await planned(app);

    await app.terraform('apply', '-auto-approve', '-no-color', '-input=false', '-replace=terraform_data.instance');
    terminal.type('production\r');
    // Which of the two is another one now, and what that changes.
    await terminal.waitFor('the Terraform state was changed by somebody else');
    await terminal.waitFor(/terraform_data\.instance.*: id \S+ → known after apply, not \S+ → known after apply/);
    await terminal.waitFor('Type production to release');
    expect(await app.answer()).toBe('0.7.1');

    const {planFile} = z
      .object({planFile: z.string()})
      .parse(eventsOf(await app.record(), 'plan.ready').at(-1)?.plan.components[0]?.payload);
    await appendFile(planFile, 'a command of somebody else');
    terminal.type('production\r');
    await terminal.waitFor('the saved plan is not the one that was made');
    await terminal.waitFor('planned anew, and it is what was approved: going on');
    expect(await terminal.exitCode).toBe(0);

    const record = await expectReleased(app, {version: '0.7.2', before});
    expect(eventsOf(record, 'plan.ready')).toHaveLength(3);
    expect(approvals(record)).toEqual([
      [false, undefined],
      [true, [expect.stringContaining('terraform_data.instance')]],
    ]);
    expect(eventsOf(record, 'approval.given').at(-1)).toMatchObject({by: 'operator', covers: ['outage']});
    // Measured on the way, and kept for the next forecast.
    const {components} = z
      .object({components: z.array(z.object({downtime: z.object({ms: z.number(), probes: z.string()})}))})
      .parse(record.events.at(-1));
    expect(components[0]?.downtime).toMatchObject({ms: expect.any(Number), probes: expect.stringMatching(/^=.*\+$/)});
    const {stdout} = await app.run(['plan', '--env', 'production', '--bump', 'patch']);
    expect(stdout).toMatch(/goes down: terraform_data\.instance; ~\d+ s, last 1: \d+ s/);
  });
});

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('What the environment says to Terraform behind the back of the release', () => {
  const hazards = {
    TF_CLI_ARGS_plan: '-destroy',
    TF_WORKSPACE: 'nope',
    TF_VAR_image_tag: '6.6.6',
    TF_CLI_ARGS_apply: '-lock=false',
  };

  test('has no effect, and is named in the plan', async () => {
    const app = await project();
    const before = await app.world();
    const {stdout, exitCode} = await app.run(['plan', '--env', 'production', '--bump', 'patch'], {env: hazards});
    expect(exitCode).toBe(0);
    const note = 'not passed to Terraform: TF_CLI_ARGS_apply, TF_CLI_ARGS_plan, TF_VAR_image_tag, TF_WORKSPACE';
    expect(stdout).toContain(note);
    expect(stdout).toContain('terraform_data.instance is destroyed and then created anew');
    expect(stdout).toContain('terraform.tfvars: image_tag = 0.7.1 → 0.7.2');

    const released = await app.run(release, {env: hazards});
    expect(released.exitCode).toBe(0);
    expect(released.stderr).toContain(note);
    await expectReleased(app, {version: '0.7.2', before});
    expect(await app.terraform('workspace', 'list')).not.toContain('nope');
    expect((await app.run(['audit', '--env', 'production'], {env: hazards})).exitCode).toBe(0);
  });
});

requires(
  'docker',
  'registry',
  'terraform',
  'busybox',
)('A sensitive value', () => {
  const secrets = ['hunter2-S3CRET/+=', 'say "cheese" & smile'];
  const options: CookbookOptions = {
    main: [
      'variable "db_password" {\n  type      = string\n  sensitive = true\n}',
      'variable "passphrase" {\n  type      = string\n  sensitive = true\n}',
      'output "login" {\n  value     = "admin:${var.db_password}"\n  sensitive = true\n}\n',
    ].join('\n\n'),
    tfvars: 'db_password = "hunter2-S3CRET/+="\npassphrase  = "say \\"cheese\\" & smile"\n',
    starting: [`echo 'connecting as \${var.db_password}'`, `echo 'with \${var.passphrase}' >&2`].join('\n      '),
  };
  /** As they are, and as JSON, URLs and base64 have them. */
  const forms = secrets.flatMap(secret => [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ]);

  async function expectHidden(app: Cookbook, said: readonly string[]): Promise<void> {
    const recorded = [];
    for (const entry of await readdir(join(app.root, 'state'), {recursive: true, withFileTypes: true})) {
      if (entry.isFile()) recorded.push(await readFile(join(entry.parentPath, entry.name), 'utf8'));
    }
    expect(recorded.length).toBeGreaterThan(2);
    for (const text of [...said, ...recorded]) for (const form of forms) expect(text).not.toContain(form);
  }

  test('is in no byte of record, logs and output; not even when a provisioner prints it and fails', async () => {
    const app = await project(options);
    await app.breakStarts(true);
    const failed = await app.run(release);
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout).toContain('the instance does not come up');
    expect(failed.stdout).toContain('•••');
    await expectHidden(app, [failed.stdout, failed.stderr]);

    await app.breakStarts(false);
    const again = await app.run([...commandIn(failed.stdout, 'Again'), '--output', 'json']);
    expect(again.exitCode).toBe(0);
    const audit = await app.run(['audit', '--env', 'production']);
    expect(audit.exitCode).toBe(0);
    await expectHidden(app, [again.stdout, again.stderr, audit.stdout, audit.stderr]);
  });

  test('is in no byte of what plan shows, of a run that was killed, and of its resumption', async () => {
    const app = await project(options);
    const plan = await app.run(['plan', '--env', 'production', '--bump', 'patch', '--output', 'json']);
    await app.hold();
    const running = app.start(release);
    await until(app.isHeld, 'the new instance');
    running.kill('SIGKILL');
    const killed = await running.ended;
    await app.letGo();
    const resumed = await app.run(['resume', '--yes', '--env', 'production']);
    expect(resumed.exitCode).toBe(0);
    await expectHidden(
      app,
      [plan, killed, resumed].flatMap(({stdout, stderr}) => [stdout, stderr]),
    );
  });
});
