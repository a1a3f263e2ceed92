/**
 * What the care costs: a cookbook's release through the program against the same commands by hand, on the same docker, registry and
 * Terraform in the same run; and what a build that prints a lot does to the program.
 */
import {execFileSync} from 'node:child_process';
import {copyFile, mkdir, mkdtemp, readFile, realpath, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {execa} from 'execa';
import {type ProgramEnv, type Records, type RunRecord, eventsOf, launcher, theRecord} from '../test/support/program.ts';
import {findOnPath, startRegistry} from '../test/tools/docker/real-docker.ts';
import {cleanly} from './cleanly.ts';
import type {Bench, Figure} from './figures.ts';

/** How often each is measured, in turn; the first of both is thrown away. */
const rounds = 5;
/** What a build and a start of the instance take by themselves, in seconds. */
const seconds = {build: 3, start: 2};
/** What a build prints. */
const printed = 100 * 1024 * 1024;
const line = 'x'.repeat(99);

interface Project {
  readonly folder: string;
  readonly image: string;
  readonly env: ProgramEnv;
  readonly records: Records;
}

export const cookbook: Bench = {
  title: `a build of ${seconds.build} s and an apply of ${seconds.start} s, by hand and through the program; a build that prints 100 MB`,
  measure: () =>
    cleanly(async finished => {
      const project = await makeProject(finished);
      return [...(await releases(project)), ...(await loud(project))];
    }),
};

async function makeProject(finished: (clean: () => Promise<void>) => void): Promise<Project> {
  const root = await realpath(await mkdtemp(path.join(tmpdir(), 'dw-bench-cookbook-')));
  finished(() => rm(root, {recursive: true, force: true}));
  const registry = await startRegistry(await needed('docker-registry'));
  finished(async () => registry[Symbol.asyncDispose]());
  const folder = path.join(root, 'repository');
  const image = `${registry.host}/bench/app`;
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: root,
    TMPDIR: root,
    LANG: 'C.UTF-8',
    XDG_STATE_HOME: path.join(root, 'state'),
    CHECKPOINT_DISABLE: '1',
    ...(process.env['DOCKER_HOST'] && {DOCKER_HOST: process.env['DOCKER_HOST']}),
  };
  const files = {
    VERSION: '0.1.0\n',
    loud: 'no\n',
    // Layers that nobody else has: the engine removes them with the images of whoever has the same.
    Dockerfile: `FROM scratch
LABEL bench=${path.basename(root)}
COPY busybox /bin/busybox
COPY VERSION loud /
SHELL ["/bin/busybox", "sh", "-c"]
RUN if /bin/busybox grep -q yes /loud; then /bin/busybox yes ${line} | /bin/busybox head -c ${printed}; else /bin/busybox sleep ${seconds.build}; fi
`,
    '.dockerignore': '.git\nci\n',
    '.gitignore': '.terraform*\n*.tfstate*\n*.tfplan\n',
    'ci/terraform.tfvars': 'image_tag = "0.1.0"\n',
    'ci/main.tf': `variable "image_tag" {
  type = string
}
resource "terraform_data" "instance" {
  triggers_replace = [var.image_tag]
  provisioner "local-exec" {
    command = "sleep ${seconds.start}"
  }
}
`,
    'deploy-wizard.config.yaml': `application: bench
environments: { production: { policy: { allow: [update, outage] } } }
components:
  service:
    kind: terraform
    directory: ci
    set: { image_tag: "\${version}" }
    source: { version: VERSION, build: { context: ., image: "${image}" } }
`,
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), {recursive: true});
    await writeFile(path.join(folder, name), text);
  }
  await copyFile(await needed('busybox'), path.join(folder, 'busybox'));
  const project = {folder, image, env, records: {root: path.join(root, 'state/deploy-wizard/bench'), environment: 'production'}};
  const {git, terraform} = byHand(project);
  git('init', '--quiet');
  git('config', 'user.name', 'Bench');
  git('config', 'user.email', 'bench@example.edu');
  git('add', '--all');
  git('commit', '--quiet', '--message', 'First');
  terraform('init', '-input=false');
  terraform('apply', '-input=false', '-auto-approve');
  finished(async () => {
    const images = execFileSync('docker', ['image', 'ls', '--quiet', image], {env, encoding: 'utf8'}).split('\n').filter(Boolean);
    if (images.length > 0) execFileSync('docker', ['image', 'rm', '--force', ...new Set(images)], {env});
  });
  return project;
}

async function needed(program: string): Promise<string> {
  const found = await findOnPath(program);
  if (found === undefined) throw new Error(`${program} is not on PATH`);
  return found;
}

function byHand({folder, env}: Project) {
  const run =
    (file: string, cwd: string) =>
    (...args: readonly string[]) =>
      void execFileSync(file, args, {cwd, env, stdio: ['ignore', 'ignore', 'pipe']});
  return {git: run('git', folder), docker: run('docker', folder), terraform: run('terraform', path.join(folder, 'ci'))};
}

// ── time ─────────────────────────────────────────────────────────────────────────────────────────────

/** Seconds of a release: as a whole, and of the build and the apply in it. */
interface Took {
  readonly whole: number;
  readonly work: number;
}

async function releases(project: Project): Promise<readonly Figure[]> {
  const hand: Took[] = [];
  const program: Took[] = [];
  for (let round = 0; round <= rounds; round++) {
    hand.push(await releaseByHand(project, `0.1.${2 * round + 1}`));
    program.push(await releaseByProgram(project, `0.1.${2 * round + 2}`));
  }
  const [plain, ours] = [hand.slice(1), program.slice(1)];
  const limit = (of: keyof Took) => 1.05 * middleOf(plain.map(took => took[of])) + 1;
  const figures = (of: keyof Took, what: string): readonly Figure[] => [
    {what: `${what}, by hand`, unit: 's', values: plain.map(took => took[of])},
    {what: `${what}, the program`, unit: 's', values: ours.map(took => took[of]), limit: limit(of)},
  ];
  return [
    ...figures('work', 'build and apply'),
    // By hand nothing is looked at before, nor proved afterwards.
    {what: 'the whole release, by hand', unit: 's', values: plain.map(({whole}) => whole)},
    {what: 'the whole release, the program', unit: 's', values: ours.map(({whole}) => whole)},
  ];
}

/** As the cookbook says. */
async function releaseByHand(project: Project, version: string): Promise<Took> {
  const {git, docker, terraform} = byHand(project);
  const {folder, image} = project;
  const from = Date.now();
  await writeFile(path.join(folder, 'VERSION'), `${version}\n`);
  git('commit', '--quiet', '--message', `Bump version to ${version}`, 'VERSION');
  const build = timed(() => docker('build', '--tag', `${image}:${version}`, '.'));
  docker('push', '--quiet', `${image}:${version}`);
  await writeFile(path.join(folder, 'ci/terraform.tfvars'), `image_tag = "${version}"\n`);
  terraform('plan', '-input=false', '-out=hand.tfplan');
  const apply = timed(() => terraform('apply', '-input=false', 'hand.tfplan'));
  git('commit', '--quiet', '--message', `Deploy ${version}`, 'ci/terraform.tfvars');
  return {whole: (Date.now() - from) / 1000, work: build + apply};
}

async function releaseByProgram(project: Project, version: string): Promise<Took> {
  const from = Date.now();
  await release(project, version);
  const whole = (Date.now() - from) / 1000;
  const record = await theRecord(project.records);
  return {whole, work: tookOf(record, 'build') + tookOf(record, 'apply')};
}

function timed(work: () => void): number {
  const from = Date.now();
  work();
  return (Date.now() - from) / 1000;
}

function tookOf(record: RunRecord, phase: string): number {
  const at = (type: 'job.started' | 'job.succeeded') =>
    Date.parse(eventsOf(record, type).find(({job}) => job.component === 'service' && job.phase === phase)?.at ?? '');
  return (at('job.succeeded') - at('job.started')) / 1000;
}

// ── memory ───────────────────────────────────────────────────────────────────────────────────────────

async function loud(project: Project): Promise<readonly Figure[]> {
  const {git} = byHand(project);
  await writeFile(path.join(project.folder, 'loud'), 'yes\n');
  git('commit', '--quiet', '--all', '--message', 'Loud');
  const peak = await release(project, '0.2.0');
  const record = await theRecord(project.records);
  const log = await readFile(path.join(record.folder, 'logs', 'service.build.log'));
  return [
    {what: 'a build that prints 100 MB: in its log', unit: 'MB', values: [log.length / 1024 / 1024]},
    {what: 'a build that prints 100 MB: took', unit: 's', values: [tookOf(record, 'build')]},
    {what: 'a build that prints 100 MB: most memory', unit: 'MB', values: [peak], limit: 200},
  ];
}

/** Releases a version; answers the most memory that the program had at any time, in MB. */
async function release({folder, env}: Project, version: string): Promise<number> {
  const args = ['--yes', '--env', 'production', '--release', version];
  const child = execa(process.execPath, [launcher, ...args], {
    cwd: folder,
    env,
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    all: true,
  });
  let peak = 0;
  // The kernel's own high-water mark: looking often is only so that the last look is late enough.
  const looking = setInterval(() => {
    void readFile(`/proc/${child.pid}/status`, 'utf8').then(
      status => (peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024)),
      () => undefined,
    );
  }, 20);
  const {exitCode, all} = await child;
  clearInterval(looking);
  if (exitCode !== 0) throw new Error(`the release of ${version} ended with ${exitCode}:\n${all}`);
  return peak;
}

function middleOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
