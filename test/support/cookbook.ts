/**
 * A project like data-models-sqlalchemy, released by its cookbook until today: version 0.7.1 is built, pushed, applied and
 * running. Docker, the registry, Terraform, git and the container that stands for the EC2 instance are real.
 */
import {createHash, randomBytes, randomInt} from 'node:crypto';
import {appendFile, chmod, cp, lstat, mkdir, mkdtemp, readFile, readdir, realpath, rm, writeFile} from 'node:fs/promises';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {delimiter, dirname, join} from 'node:path';
import {execa} from 'execa';
import {expect, onTestFinished} from 'vitest';
import {
  type Ended,
  type ProgramEnv,
  type ProgramInTerminal,
  type Records,
  type RunningProgram,
  type RunRecord,
  eventsOf,
  runProgram,
  startInTerminal,
  startProgram,
  theRecord,
} from './program.ts';
import {part} from './requires.ts';

export const deployed = '0.7.1';

/** As upstream has it: a dictionary whose parts are integers. */
export const python = `import os

__version_info__ = {
    'major': 0,
    'minor': 7,
    'micro': 1,
    'releaselevel': 'final',
    'serial': os.environ.get('BUILD_NUM', '0'),
    'sha': os.environ.get('COMMIT_SHA1', '0')[0:8],
}


def get_version(short=False):
    """Release 0.7.1 and later."""
    vers = ["%(major)i.%(minor)i" % __version_info__, ]
    if __version_info__['micro']:
        vers.append(".%(micro)i" % __version_info__)
    return ''.join(vers)


__version__ = get_version()
`;

/** The same by somebody with another editor: CRLF, other quotes, spaces where they please, no line feed at the end. */
export const oddPython = [
  '# -*- coding: utf-8 -*-',
  'import os',
  '',
  '__version_info__   =  {   # keep this a dictionary',
  "\t'major' :0,\t# 0.7.1",
  '    "minor":   7 ,',
  "  'micro'  :  1,  # bumped by hand",
  "    'releaselevel':'final' , 'serial': os.environ.get('BUILD_NUM', '0'),",
  '}',
  '',
  "migrated = {'major': 1, 'minor': 7, 'micro': 1}",
].join('\r\n');

/** Comments, alignment, and the old version where it must stay. */
export const tfvars = `# Deployed with the cookbook since 0.7.1.

profile       = "saml"    # written by the credentials helper
image_tag     = "0.7.1"   # the tag that the instance runs
region        = "us-east-1"
notes         = <<EOT
image_tag = "0.7.1"
EOT
`;

export interface CookbookOptions {
  /** dmsa/__init__.py, saying 0.7.1. */
  readonly python?: string;
  /** `source.git` of the config file. */
  readonly git?: string;
  /** `policy.allow` and `onFailure` of production; `revert` of the component. */
  readonly allow?: readonly string[];
  readonly onFailure?: 'rollback';
  readonly revert?: 'auto';
  /** Lines at the end of ci/main.tf and of ci/terraform.tfvars. */
  readonly main?: string;
  readonly tfvars?: string;
  /** `verify.within` and `lockTimeout` of the config file. */
  readonly within?: string;
  readonly lockTimeout?: string;
  /** Images go to the registry that wants a password. */
  readonly withPassword?: boolean;
  /** Shell lines that every start of the instance runs first. */
  readonly starting?: string;
}

export interface Cookbook {
  /** Everything is under it: `repository`, `state` (XDG_STATE_HOME), `home`, `tmp` (TMPDIR), `world`. */
  readonly root: string;
  readonly repository: string;
  readonly env: ProgramEnv;
  readonly records: Records;
  /** Without a tag. */
  readonly image: string;
  readonly container: string;
  /** Where the instance answers its version. */
  readonly url: string;

  /** Runs the program in the repository; `env` is added to the complete environment. */
  run(
    args: readonly string[],
    more?: {readonly env?: ProgramEnv; readonly input?: string; readonly cwd?: string},
  ): Promise<Ended>;
  start(args: readonly string[], more?: {readonly env?: ProgramEnv}): RunningProgram;
  startInTerminal(args: readonly string[]): ProgramInTerminal;
  record(): Promise<RunRecord>;

  path(...names: readonly string[]): string;
  read(file: string): Promise<string>;
  write(file: string, text: string): Promise<void>;
  git(...args: readonly string[]): Promise<string>;
  terraform(...args: readonly string[]): Promise<string>;
  docker(...args: readonly string[]): Promise<string>;
  digest(version: string): Promise<string | undefined>;
  /** What the instance answers, trimmed; undefined when nothing answers. */
  answer(): Promise<string | undefined>;

  /** From now on an instance that starts waits, until `letGo`. */
  hold(): Promise<void>;
  letGo(): Promise<void>;
  /** Whether an instance waits. */
  isHeld(): Promise<boolean>;
  /** From now on instances do not start (or do again). */
  breakStarts(broken: boolean): Promise<void>;
  /** From now on instances are made and do not answer, until somebody starts their container. */
  putToSleep(): Promise<void>;
  /** The tags of all starts that were tried, oldest first: one for every apply that came so far. */
  starts(): Promise<readonly string[]>;

  /** All that a release may change, to be compared with what it was. */
  world(): Promise<World>;
  /** Every file of the whole root with its content, mode and time. */
  files(): Promise<ReadonlyMap<string, string>>;
  /** The same repository in a folder of its own with records of its own. The instance and the registry are shared. */
  copy(): Promise<Cookbook>;
  remove(): Promise<void>;
}

/** What a release may change, one entry a thing. */
export interface World {
  /** `status`: what index and work tree have that HEAD has not; `unstaged`: what of it is in the work tree only. */
  readonly git: {
    readonly head: string;
    readonly refs: readonly string[];
    readonly status: string;
    readonly unstaged: string;
    /** Files that git does not know, each with its text. */
    readonly unknown: string;
  };
  readonly files: {readonly version: string; readonly tfvars: string};
  readonly environment: {readonly state: string} & Instance;
  /** Digests by tag. */
  readonly registry: Readonly<Record<string, string | undefined>>;
}

interface Instance {
  /** Its id, and whether it runs. */
  readonly container: string;
  readonly image: string;
  /** The commit that its image names. */
  readonly revision: string;
}

const versionFile = 'dmsa/__init__.py';
const varFile = 'ci/terraform.tfvars';
export const answeringFile = 'dmsa/www/cgi-bin/index.cgi';

export async function cookbook(options: CookbookOptions = {}): Promise<Cookbook> {
  const id = randomBytes(4).toString('hex');
  const root = await realpath(await mkdtemp(join(tmpdir(), 'dw-cookbook-')));
  const site = {
    root,
    port: await freePort(),
    container: `dw-cookbook-${id}`,
    repositoryName: `cookbook-${id}/data-models-sqlalchemy`,
    registry: registryFor(options),
  };
  const made = open(site);
  try {
    await writeProject(made, options, site.port);
    await install(made, site, options);
  } catch (error) {
    await made.remove();
    throw error;
  }
  return made;
}

/** One for the test that runs, removed at its end. */
export async function project(options?: CookbookOptions): Promise<Cookbook> {
  const made = await cookbook(options);
  onTestFinished(() => made.remove());
  return made;
}

interface Site {
  readonly root: string;
  readonly port: number;
  readonly container: string;
  readonly repositoryName: string;
  readonly registry: Registry;
}

interface Registry {
  readonly address: string;
  readonly login?: {readonly user: string; readonly password: string};
}

function registryFor({withPassword = false}: CookbookOptions): Registry {
  if (!withPassword) return part('registry');
  const {address, ...login} = part('registryWithAuth');
  return {address, login};
}

function open(site: Site): Cookbook {
  const {root, container, repositoryName, port, registry} = site;
  const repository = join(root, 'repository');
  const state = join(root, 'state');
  const image = `${registry.address}/${repositoryName}`;
  const env = environment(root);
  const url = `http://127.0.0.1:${port}/`;
  const records: Records = {root: join(state, 'deploy-wizard', 'data-models-sqlalchemy'), environment: 'production'};
  const world = (name: string) => join(root, 'world', name);

  const tool = async (file: string, args: readonly string[], cwd: string): Promise<string> => {
    // By hand, without a trace: a status writes the index, and Terraform asks for its newest version.
    const quiet = {GIT_OPTIONAL_LOCKS: '0', CHECKPOINT_DISABLE: '1'};
    const {stdout} = await execa(file, args, {cwd, env: {...env, ...quiet}, extendEnv: false, stdin: 'ignore'});
    return stdout;
  };
  const exists = (path: string) =>
    lstat(path).then(
      () => true,
      () => false,
    );
  const git = (...args: readonly string[]) => tool('git', args, repository);
  const docker = (...args: readonly string[]) => tool(part('docker').client, args, root);
  const read = (file: string) => readFile(join(repository, file), 'utf8');
  const digest = (version: string) => digestIn(registry, repositoryName, version);

  const cookbook: Cookbook = {
    root,
    repository,
    env,
    records,
    image,
    container,
    url,

    run: (args, {env: more, input, cwd = repository} = {}) =>
      runProgram(args, {cwd, env: {...env, ...more}, ...(input !== undefined && {input})}),
    start: (args, {env: more} = {}) => startProgram(args, {cwd: repository, env: {...env, ...more}}),
    startInTerminal: args => startInTerminal(args, {cwd: repository, env}),
    record: () => theRecord(records),

    path: (...names) => join(repository, ...names),
    read,
    write: async (file, text) => {
      await mkdir(dirname(join(repository, file)), {recursive: true});
      await writeFile(join(repository, file), text);
    },
    git,
    terraform: (...args) => tool(part('terraform').path, args, join(repository, 'ci')),
    docker,
    digest,
    answer: async () => {
      try {
        const response = await fetch(url, {signal: AbortSignal.timeout(5000)});
        return (await response.text()).trim();
      } catch {
        return undefined;
      }
    },

    hold: () => writeFile(world('hold'), ''),
    letGo: () => rm(world('hold')),
    isHeld: () => exists(world('held')),
    breakStarts: async broken => (broken ? writeFile(world('broken'), '') : rm(world('broken'))),
    putToSleep: () => writeFile(world('asleep'), ''),
    starts: async () => (await readFile(world('starts'), 'utf8')).trim().split('\n'),

    world: async () => ({
      git: {
        ...refsIn(await git('show-ref', '--head')),
        ...(await changesIn(git, read)),
      },
      files: {version: await read(versionFile), tfvars: await read(varFile)},
      environment: {
        state: await read('ci/terraform.tfstate'),
        ...(await runningContainer(docker, container)),
      },
      registry: Object.fromEntries(
        await Promise.all((await tagsOf(registry, repositoryName)).map(async tag => [tag, await digest(tag)] as const)),
      ),
    }),
    files: () => filesUnder(root),
    copy: async () => {
      const other = await realpath(await mkdtemp(join(tmpdir(), 'dw-cookbook-')));
      await cp(repository, join(other, 'repository'), {recursive: true, preserveTimestamps: true});
      await makeFolders(other);
      return {...open({...site, root: other}), remove: () => rm(other, {recursive: true, force: true})};
    },
    remove: async () => {
      // A Terraform that a failed test has left behind must not start an instance any more.
      await writeFile(world('broken'), '').catch(() => undefined);
      await rm(world('hold'), {force: true});
      await docker('rm', '--force', container).catch(() => undefined);
      await rm(root, {recursive: true, force: true, maxRetries: 5, retryDelay: 100});
    },
  };
  return cookbook;
}

/** Complete, and nothing of the machine's: no identity, no credentials, no settings. */
function environment(root: string): ProgramEnv {
  const {client, host} = part('docker');
  return {
    PATH: [dirname(client), dirname(part('terraform').path), process.env['PATH'] ?? ''].join(delimiter),
    HOME: join(root, 'home'),
    USER: 'operator',
    LANG: 'C.UTF-8',
    TMPDIR: join(root, 'tmp'),
    XDG_STATE_HOME: join(root, 'state'),
    // Not among what is compared: it can be made anew at any time.
    XDG_CACHE_HOME: join(tmpdir(), 'dw-test-caches'),
    GIT_CONFIG_NOSYSTEM: '1',
    // Terraform and the docker client are gone before it pays to collect their garbage: a quarter of what they take.
    GOGC: 'off',
    ...(host !== undefined && {DOCKER_HOST: host}),
  };
}

async function makeFolders(root: string): Promise<void> {
  for (const name of ['repository', 'home', 'tmp', 'state', 'world']) await mkdir(join(root, name), {recursive: true});
}

async function writeProject(cookbook: Cookbook, options: CookbookOptions, port: number): Promise<void> {
  const {root, image, container, url, write} = cookbook;
  await makeFolders(root);
  await write(versionFile, options.python ?? python);
  await write('Dockerfile', `FROM ${part('baseImage')}\nCOPY dmsa /app\n`);
  // Named, so that it is an image of its own.
  await write(answeringFile, `${answering}# ${container}\n`);
  await chmod(cookbook.path(answeringFile), 0o755);
  await write('.gitignore', '.terraform/\n*.tfstate*\n');
  await write('.dockerignore', '.git\nci\n');
  await write('ci/main.tf', module({image, container, port, world: join(root, 'world'), starting: options.starting}));
  await write('ci/variables.tf', `${variables}${options.main ?? ''}`);
  await write(varFile, `${tfvars}${options.tfvars ?? ''}`);
  await write('deploy-wizard.config.yaml', config({...options, image, url}));
}

async function install(cookbook: Cookbook, site: Site, options: CookbookOptions): Promise<void> {
  await commitAll(cookbook);
  await logIn(site);
  const {python, main, tfvars, withPassword} = options;
  const isUsual = python === undefined && main === undefined && tfvars === undefined && !withPassword;
  if (isUsual && first !== undefined) await installLike(first, cookbook, site);
  else await installByHand(cookbook);
  if (isUsual) first ??= {...site, state: await cookbook.read(stateFile), backend: await cookbook.read(backendFile)};
  for (let tries = 0; (await cookbook.answer()) !== deployed; tries++) {
    if (tries > 100) throw new Error(`The first instance does not answer ${deployed}.`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

async function commitAll({git, path}: Cookbook): Promise<void> {
  await git('init', '--quiet', '--initial-branch=main', '--template=');
  await appendFile(path('.git/config'), '[user]\n\tname = Release Engineer\n\temail = release@example.edu\n');
  await git('add', '--all');
  await git('commit', '--quiet', '--message', `Version ${deployed}`);
}

/** What `docker login` writes. */
async function logIn({root, registry: {address, login}}: Site): Promise<void> {
  if (login === undefined) return;
  const auths = {[address]: {auth: btoa(`${login.user}:${login.password}`)}};
  await mkdir(join(root, 'home', '.docker'));
  await writeFile(join(root, 'home', '.docker', 'config.json'), JSON.stringify({auths}), {mode: 0o600});
}

const stateFile = 'ci/terraform.tfstate';
/** What `terraform init` leaves. */
const backendFile = 'ci/.terraform/terraform.tfstate';

/** The first usual project of this process, which others are made like: what it built and applied was the same. */
let first: (Site & {readonly state: string; readonly backend: string}) | undefined;

/** As the cookbook says. */
async function installByHand({docker, terraform, image, repository}: Cookbook): Promise<void> {
  await docker('build', '--quiet', '--tag', `${image}:${deployed}`, repository);
  await docker('push', '--quiet', `${image}:${deployed}`);
  await terraform('init', '-input=false', '-no-color');
  await terraform('apply', '-input=false', '-no-color', '-auto-approve');
}

async function installLike(other: NonNullable<typeof first>, {docker, image, write}: Cookbook, site: Site): Promise<void> {
  await copyImage(site.registry, other.repositoryName, site.repositoryName);
  await write(backendFile, other.backend);
  await write(stateFile, other.state.replaceAll(other.container, site.container));
  await writeFile(join(site.root, 'world', 'starts'), `${deployed}\n`);
  await docker('run', '--detach', ...instance(site, `${image}:${deployed}`));
}

/** Options and arguments by which docker makes the instance. */
function instance({container, port}: Pick<Site, 'container' | 'port'>, image: string): readonly string[] {
  return ['--name', container, '--network', 'host', image, `127.0.0.1:${port}`];
}

/** What is at `/`: the version that the packaged source says, so that the answer proves what was built. */
const answering = String.raw`#!/bin/busybox sh
printf 'Content-Type: text/plain\r\n\r\n'
part() {
  /bin/busybox sed -n "s/^[[:space:]]*['\"]$1['\"][[:space:]]*:[[:space:]]*\([0-9]*\).*/\1/p" /app/__init__.py | /bin/busybox head -n 1
}
echo "$(part major).$(part minor).$(part micro)"
`;

const variables = `variable "image_tag" {
  type = string
}

variable "profile" {
  type    = string
  default = "saml"
}

variable "region" {
  type = string
}

variable "notes" {
  type = string
}
`;

function module(site: {
  readonly image: string;
  readonly container: string;
  readonly port: number;
  readonly world: string;
  readonly starting: string | undefined;
}): string {
  const {image, container, port, world, starting = ''} = site;
  return `terraform {
  backend "local" {
    path = "terraform.tfstate"
  }
}

# Stands for the EC2 instance: a new tag destroys it, and creates it anew.
resource "terraform_data" "instance" {
  triggers_replace = [var.image_tag]
  input            = { container = "${container}" }

  provisioner "local-exec" {
    when    = destroy
    command = "docker rm --force \${self.input.container}"
  }

  provisioner "local-exec" {
    command = <<-EOT
      set -e
      echo '\${var.image_tag}' >> '${world}/starts'
      ${starting}
      if test -e '${world}/hold'; then
        touch '${world}/held'
        while test -e '${world}/hold'; do sleep 0.05; done
        rm -f '${world}/held'
      fi
      if test -e '${world}/broken'; then
        echo 'the instance does not come up' >&2
        exit 1
      fi
      if test -e '${world}/asleep'; then how=create; else how='run --detach'; fi
      docker $how --pull always ${instance({container, port}, `${image}:\${var.image_tag}`).join(' ')}
    EOT
  }
}

output "image_tag" {
  value = var.image_tag
}
`;
}

function config(settings: CookbookOptions & {readonly image: string; readonly url: string}): string {
  const {image, url, git = '{ commit: true }', allow = ['update'], within = '30s', lockTimeout = '30s'} = settings;
  const {onFailure, revert} = settings;
  return `application: data-models-sqlalchemy
environments:
  production: { policy: { allow: [${allow.join(', ')}] }${onFailure ? `, onFailure: ${onFailure}` : ''} }
  staging: { policy: { allow: [update, outage] } }
components:
  service:
    kind: terraform
    directory: ci
    workspace: default
    tfvars: terraform.tfvars
    set: { image_tag: "\${version}" }
    lockTimeout: ${lockTimeout}
    allowChanges: [terraform_data.instance]
${revert ? `    revert: ${revert}\n` : ''}    source: { version: ${versionFile}, build: { context: ., image: "${image}" }, git: ${git} }
    verify: { http: "${url}", expect: "\${version}", within: ${within} }
`;
}

async function runningContainer(docker: Cookbook['docker'], name: string): Promise<Instance> {
  const format = '{{.Id}} {{.State.Running}} {{.Config.Image}} {{index .Config.Labels "org.opencontainers.image.revision"}}';
  const said = await docker('inspect', '--format', format, name).catch(() => 'none');
  const [id = '', running = '', image = '', revision = ''] = said.split(' ');
  return {container: `${id} ${running}`, image, revision};
}

async function changesIn(git: Cookbook['git'], read: Cookbook['read']): Promise<Omit<World['git'], 'head' | 'refs'>> {
  const status = await git('status', '--porcelain=v2', '--untracked-files=all');
  const lines = status.split('\n');
  const files = lines.flatMap(line => /^\? (?<file>.+)$/.exec(line)?.groups?.['file'] ?? []);
  const unknown = await Promise.all(files.map(async file => `${file}\n${await read(file).catch(() => '')}`));
  // Of what has changed in the work tree, status has no blob.
  const isUnstaged = lines.some(line => /^[12u] .[^.]/.test(line));
  return {status, unstaged: isUnstaged ? await git('diff') : '', unknown: unknown.join('\n')};
}

/** What `git show-ref --head` says. */
function refsIn(text: string): Pick<World['git'], 'head' | 'refs'> {
  const refs = text.split('\n');
  return {head: refs[0]?.split(' ')[0] ?? '', refs};
}

const manifestTypes = 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json';

/** The digest under which the registry itself holds a tag; undefined when it has no such tag. */
async function digestIn(registry: Registry, repository: string, tag: string): Promise<string | undefined> {
  const response = await ask(registry, `${repository}/manifests/${tag}`, {method: 'HEAD', headers: {Accept: manifestTypes}});
  return response.headers.get('docker-content-digest') ?? undefined;
}

async function tagsOf(registry: Registry, repository: string): Promise<readonly string[]> {
  const response = await ask(registry, `${repository}/tags/list`);
  const {tags}: {tags: readonly string[] | null} = JSON.parse(await response.text());
  return [...(tags ?? [])].sort();
}

/** An image from one repository to another, as a push does it whose layers are there already. */
async function copyImage(registry: Registry, from: string, to: string): Promise<void> {
  const stored = await ask(registry, `${from}/manifests/${deployed}`, {headers: {Accept: manifestTypes}});
  const manifest = await stored.text();
  const {config, layers}: {config: {digest: string}; layers: readonly {digest: string}[]} = JSON.parse(manifest);
  for (const {digest} of [config, ...layers])
    await ask(registry, `${to}/blobs/uploads/?mount=${digest}&from=${from}`, {method: 'POST'});
  const headers = {'Content-Type': stored.headers.get('content-type') ?? ''};
  await ask(registry, `${to}/manifests/${deployed}`, {method: 'PUT', headers, body: manifest});
}

async function ask({address, login}: Registry, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (login !== undefined) headers.set('Authorization', `Basic ${btoa(`${login.user}:${login.password}`)}`);
  const response = await fetch(`http://${address}/v2/${path}`, {...init, headers});
  if (!response.ok && response.status !== 404) throw new Error(`The registry answers ${response.status} for ${path}.`);
  return response;
}

/** Below the range from which the kernel gives out ports by itself: it stays free while an instance is replaced. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    const server = createServer();
    const {promise, resolve} = Promise.withResolvers<boolean>();
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    if (await promise) return port;
  }
}

async function filesUnder(root: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const walk = async (folder: string): Promise<void> => {
    for (const name of (await readdir(join(root, folder))).sort()) {
      const path = join(folder, name);
      const stats = await lstat(join(root, path));
      const what = stats.isDirectory()
        ? 'folder'
        : createHash('sha256')
            .update(await readFile(join(root, path)))
            .digest('hex');
      // Whoever only looks may put something aside in there, as long as it is gone at the end.
      const time = path === 'tmp' ? '' : stats.mtimeMs;
      found.set(path, `${what} ${(stats.mode & 0o7777).toString(8)} ${time}`);
      if (stats.isDirectory()) await walk(path);
    }
  };
  await walk('.');
  return found;
}

// ── what a release leaves ────────────────────────────────────────────────────────────────────────────

/** Looked at where it is: files, git, registry, Terraform's state, the instance, the record. */
export async function expectReleased(
  cookbook: Cookbook,
  release: {
    readonly version: string;
    readonly before: World;
    /** How many times the instance was started for it. */
    readonly starts?: number;
    readonly gitTag?: string;
    /** Where the version file really is. */
    readonly versionFile?: string;
  },
): Promise<RunRecord> {
  const {version, before, starts = 1, gitTag, versionFile: bumped = versionFile} = release;
  const {git, image} = cookbook;
  const after = await cookbook.world();

  expect(after.files).toEqual({
    version: before.files.version.replace(/(?<=['"]micro['"]\s*:\s*)\d+/, version.split('.')[2] ?? ''),
    tfvars: before.files.tfvars.replace(/(?<=^image_tag +=) "[^"]+"/m, ` "${version}"`),
  });
  expect(after.git.status).toBe('');
  const commits = await git('log', '--format=%s%x09%an', '--name-only', `${before.git.head}..HEAD`);
  expect(commits.split('\n')).toEqual([
    `Deploy ${version}\tRelease Engineer`,
    '',
    varFile,
    `Bump version to ${version}\tRelease Engineer`,
    '',
    bumped,
  ]);
  // An image that an earlier attempt has pushed names that one's commit, which was taken back; its files are the same.
  const built = `${after.environment.revision}^{tree}`;
  const [bump, tree, treeBuilt] = (await git('rev-parse', 'HEAD^', 'HEAD^^{tree}', built)).split('\n');
  expect(treeBuilt).toBe(tree);
  const tags = after.git.refs.filter(ref => ref.includes(' refs/tags/'));
  if (gitTag === undefined) expect(tags).toEqual([]);
  else expect(await git('rev-parse', `${gitTag}^{commit}`)).toBe(bump);

  const digest = after.registry[version];
  expect(after.registry).toEqual({...before.registry, [version]: expect.stringMatching(/^sha256:[0-9a-f]{64}$/)});
  expect(JSON.parse(after.environment.state)).toMatchObject({outputs: {image_tag: {value: version}}});
  expect(after.environment.image).toBe(`${image}:${version}`);
  expect(await cookbook.answer()).toBe(version);
  expect((await cookbook.starts()).filter(tag => tag === version)).toHaveLength(starts);

  const record = await cookbook.record();
  expect(eventsOf(record, 'plan.ready').at(-1)?.plan.components[0]?.payload).toMatchObject({image: {digest}});
  expect(record.events.at(-1)).toMatchObject({type: 'run.finished', outcome: 'passed', exitCode: 0, touched: true});
  await expectNothingLeft(cookbook);
  return record;
}

/** No plan file, no spool, no temporary file; and what is recorded is for its owner alone. */
export async function expectNothingLeft({root}: Cookbook): Promise<void> {
  expect(await readdir(join(root, 'tmp'))).toEqual([]);
  const files = [...(await filesUnder(root))].filter(([path]) => path.startsWith('state/') || path.endsWith('.tfplan'));
  expect(files.filter(([path, what]) => path.includes('.scratch/') && !what.startsWith('folder'))).toEqual([]);
  const open = files.filter(
    ([path, what]) => path.startsWith('state/deploy-wizard/') && !/^(folder 700|[0-9a-f]+ 600) /.test(what),
  );
  expect(open).toEqual([]);
}
