/** Terraform's S3 backend with a lock file, on moto: a component that only sets a version, as a team keeps it. */
import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readFile, realpath, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, dirname, join} from 'node:path';
import {CreateBucketCommand, GetObjectCommand, S3Client} from '@aws-sdk/client-s3';
import {execa} from 'execa';
import {beforeAll, expect, onTestFinished, test} from 'vitest';
import {z} from 'zod';
import {
  type Records,
  eventsOf,
  requestOf,
  runProgram,
  startInTerminal,
  startProgram,
  theRecord,
  until,
} from '../support/program.ts';
import {part, requires} from '../support/requires.ts';

const bucket = `dw-state-${Date.now()}`;
const credentials = {accessKeyId: 'test', secretAccessKey: 'test'};

/** A state of its own in the bucket. The new instance waits as long as the file `hold` is there. */
async function project(key: string) {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'dw-s3-')));
  onTestFinished(() => rm(root, {recursive: true, force: true}));
  const {url} = part('moto');
  const files = {
    'ci/main.tf': `terraform {
  backend "s3" {
    bucket                      = "${bucket}"
    key                         = "${key}"
    region                      = "us-east-1"
    use_lockfile                = true
    use_path_style              = true
    endpoints                   = { s3 = "${url}", sts = "${url}", iam = "${url}" }
    skip_requesting_account_id  = true
  }
}
variable "image_tag" {
  type = string
}
resource "terraform_data" "instance" {
  triggers_replace = [var.image_tag]
  provisioner "local-exec" {
    command = "while test -e hold; do touch held; sleep 0.05; done; rm -f held"
  }
}
`,
    'ci/terraform.tfvars': 'image_tag = "0.7.1"\n',
    'deploy-wizard.config.yaml': `application: app
environments:
  production: { aws: { region: us-east-1 }, policy: { allow: [create, outage] } }
components:
  service: { kind: terraform, directory: ci, set: { image_tag: "\${version}" }, lockTimeout: 1s }
`,
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), {recursive: true});
    await writeFile(join(root, name), text);
  }
  const env = {
    PATH: [dirname(part('terraform').path), process.env['PATH'] ?? ''].join(delimiter),
    HOME: root,
    TMPDIR: root,
    XDG_STATE_HOME: join(root, 'state'),
    AWS_ENDPOINT_URL: url,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    // See cookbook.ts.
    GOGC: 'off',
  };
  const records: Records = {root: join(root, 'state', 'deploy-wizard', 'app'), environment: 'production'};
  const args = (version: string) => ['--env', 'production', '--release', version];
  return {
    release: (version: string) => runProgram(['--yes', ...args(version)], {cwd: root, env}),
    start: (version: string) => startProgram(['--yes', ...args(version)], {cwd: root, env}),
    inTerminal: (version: string) => startInTerminal(['--no-tui', ...args(version), '--component', 'service'], {cwd: root, env}),
    resume: () => runProgram(['resume', '--yes', '--env', 'production'], {cwd: root, env}),
    terraform: async (...args: readonly string[]) =>
      (await execa(part('terraform').path, args, {cwd: join(root, 'ci'), env, extendEnv: false})).stdout,
    hold: () => writeFile(join(root, 'ci', 'hold'), ''),
    letGo: () => rm(join(root, 'ci', 'hold')),
    isHeld: () => existsSync(join(root, 'ci', 'held')),
    record: () => theRecord(records),
  };
}

requires('terraform', 'moto')('A state in S3', () => {
  let s3: S3Client;
  beforeAll(async () => {
    s3 = new S3Client({endpoint: part('moto').url, region: 'us-east-1', forcePathStyle: true, credentials});
    await s3.send(new CreateBucketCommand({Bucket: bucket}));
  });

  test('is initialised, planned and applied; outlives its wizard; a colleague’s change is seen, and a lock that was left is named', async () => {
    const key = 'production/app.tfstate';
    const app = await project(key);

    const first = await app.release('0.7.2');
    expect(first.exitCode, `${first.stdout}${first.stderr}`).toBe(0);
    expect(first.stderr).toContain('terraform init was run in ci: it was not initialised');
    expect(eventsOf(await app.record(), 'plan.ready')[0]?.plan.components[0]?.payload).toMatchObject({
      state: null,
      account: expect.stringMatching(/^\d{12}$/),
    });

    // The wizard dies, Terraform goes on, and resume goes along to its end.
    await app.hold();
    const killed = app.start('0.7.3');
    await until(app.isHeld, 'the new instance');
    killed.kill('SIGKILL');
    expect((await killed.ended).stderr).not.toContain('terraform init');
    const resuming = app.resume();
    await app.letGo();
    const resumed = await resuming;
    expect(resumed.exitCode, `${resumed.stdout}${resumed.stderr}`).toBe(0);
    const {lineage} = z.object({lineage: z.string()}).parse(await stored(key));
    expect(eventsOf(await app.record(), 'plan.ready')[0]?.plan.components[0]?.payload).toMatchObject({
      state: {lineage, serial: expect.any(Number)},
    });

    // In S3 nothing but its serial tells one state from the next: a saved plan is bound to it.
    const terminal = app.inTerminal('0.7.4');
    await terminal.waitFor('Type production to release');
    await app.terraform('apply', '-auto-approve', '-no-color', '-input=false', '-replace=terraform_data.instance');
    terminal.type('production\r');
    await terminal.waitFor('the Terraform state was changed by somebody else');
    await terminal.waitFor('Type production to release');
    terminal.type('production\r');
    expect(await terminal.exitCode).toBe(0);

    // Everything is killed: the lock stays in the bucket.
    await app.hold();
    const dead = app.start('0.7.5');
    await until(app.isHeld, 'the new instance');
    const {folder} = z.object({folder: z.string()}).parse(requestOf(await app.record(), 'terraform-apply'));
    const pidOf = async (name: string) =>
      z.object({pid: z.number()}).parse(JSON.parse(await readFile(join(folder, name), 'utf8'))).pid;
    const [terraform, supervisor] = [await pidOf('pid.json'), await pidOf('claim')];
    dead.kill('SIGKILL');
    process.kill(supervisor, 'SIGKILL');
    process.kill(-terraform, 'SIGKILL');
    await dead.ended;
    await app.letGo();
    const lost = await app.resume();
    expect(lost).toMatchObject({exitCode: 1, stdout: expect.stringContaining('A new plan shows what is left to do')});

    const lock = z.object({ID: z.string(), Who: z.string(), Created: z.string()}).parse(await stored(`${key}.tflock`));
    const since = lock.Created.slice(0, 'YYYY-MM-DDTHH:MM:SS'.length).replace('T', ' ');
    const locked = await app.release('0.7.5');
    expect(locked.exitCode).toBe(4);
    expect(locked.stdout).toContain(`The Terraform state is locked by ${lock.Who} since ${since} UTC (apply).`);
    expect(locked.stdout).toContain(`terraform force-unlock ${lock.ID}`);
    await app.terraform('force-unlock', '-force', lock.ID);
    const mended = await app.release('0.7.5');
    expect(mended.exitCode, `${mended.stdout}${mended.stderr}`).toBe(0);
  });

  async function stored(key: string): Promise<unknown> {
    const {Body} = await s3.send(new GetObjectCommand({Bucket: bucket, Key: key}));
    return JSON.parse((await Body?.transformToString()) ?? '');
  }
});
