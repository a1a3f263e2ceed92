/** A component that is built from source, in a repository of its own, with the tools of a real run: git, docker and a registry. */
import {cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import type {Io} from '../../../src/components/io.ts';
import {terraform} from '../../../src/components/terraform.ts';
import {terraformConfig, type Source, type TerraformConfig} from '../../../src/components/terraform/config.ts';
import {prepareSteps} from '../../../src/components/terraform/source.ts';
import {checkSource, sourceRequirements} from '../../../src/components/terraform/source/checks.ts';
import {componentSettings, parseConfig} from '../../../src/config/load.ts';
import {createJobLogs} from '../../../src/record/logs.ts';
import {createRedaction} from '../../../src/record/redact.ts';
import {createStop, type Named, type Step} from '../../../src/release/contract.ts';
import {json, type Json} from '../../../src/release/json.ts';
import type {Check} from '../../../src/release/model.ts';
import type {Flag} from '../../../src/release/words.ts';
import {execOk} from '../../../src/tools/exec.ts';
import {deskAt} from '../../commands/support/desk.ts';
import {worldOf} from '../support/world.ts';

export interface WorkshopOptions {
  /** `source` of the config. */
  readonly source: Json;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** What docker's own configuration says. */
  readonly docker?: Json;
}

export interface IoOptions {
  readonly version?: string;
  readonly attended?: boolean;
  readonly askLogin?: Io['askLogin'];
  readonly allows?: readonly Flag[];
  /** Where the records are, from the repository. */
  readonly store?: string;
}

export interface Desk {
  readonly io: Io;
  /** What the job has written into its log, hidden as a log hides. */
  log(): string;
  /** Performs steps in order; what they tell, and their results by id. */
  run(steps: readonly Step<Io>[]): Promise<{told: readonly string[]; results: Map<string, Json>}>;
  /** The steps that prepare a version, by id. */
  steps(): Map<string, Step<Io>>;
  observe(): ReturnType<typeof terraform.observe>;
  /** One of the requirements, looked at once: `version file`, `work tree`, `tag`… */
  check(about: string): Promise<Check>;
}

export class Workshop {
  readonly #settings: Json;
  readonly #env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly root: string;

  private constructor(root: string, settings: Json, env: Readonly<Record<string, string>>) {
    this.root = root;
    this.folder = join(root, 'repository');
    this.#settings = settings;
    this.#env = env;
  }

  static async make({source, files = {}, env = {}, docker = {}}: WorkshopOptions): Promise<Workshop> {
    const root = await realpath(await mkdtemp(join(tmpdir(), 'dw-workshop-')));
    const engine = process.env['DOCKER_HOST'];
    const base = {
      PATH: process.env['PATH'] ?? '',
      ...(engine !== undefined && {DOCKER_HOST: engine}),
      HOME: join(root, 'home'),
      TMPDIR: join(root, 'tmp'),
      XDG_STATE_HOME: join(root, 'state'),
      DOCKER_CONFIG: join(root, 'docker'),
      GIT_CONFIG_NOSYSTEM: '1',
      ...env,
    };
    const workshop = new Workshop(root, settingsOf(source), base);
    for (const folder of ['repository', 'home', 'tmp', 'docker']) await mkdir(join(root, folder));
    await writeFile(join(root, 'docker', 'config.json'), JSON.stringify(docker));
    await writeFile(
      join(root, 'home', '.gitconfig'),
      '[user]\n\tname = Olive Operator\n\temail = olive@example.org\n[init]\n\tdefaultBranch = main\n',
    );
    const all = {
      'ci/terraform.tfvars': 'image_tag = "1.0.0"\n',
      VERSION: '1.0.0\n',
      Dockerfile: 'FROM scratch\nCOPY VERSION /VERSION\n',
      ...files,
    };
    for (const [name, text] of Object.entries(all)) await workshop.write(name, text);
    await workshop.git('init', '--quiet');
    await workshop.commit('First');
    return workshop;
  }

  /** The same repository, with another `source`. */
  with(source: Json): Workshop {
    return new Workshop(this.root, settingsOf(source), this.#env);
  }

  async write(name: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.folder, name)), {recursive: true});
    await writeFile(join(this.folder, name), text);
  }

  read(name: string): Promise<string> {
    return readFile(join(this.folder, name), 'utf8');
  }

  async git(...args: readonly string[]): Promise<string> {
    return (await execOk('git', args, {cwd: this.folder, env: this.#env})).stdout.trimEnd();
  }

  async docker(...args: readonly string[]): Promise<string> {
    return (await execOk('docker', args, {cwd: this.folder, env: this.#env})).stdout.trimEnd();
  }

  async commit(message: string): Promise<void> {
    await this.git('add', '--all');
    await this.git('commit', '--quiet', `--message=${message}`);
  }

  /** A remote that has everything, and that `main` comes from. */
  async addRemote(): Promise<string> {
    const remote = join(this.root, 'remote.git');
    await cp(join(this.folder, '.git'), remote, {recursive: true});
    await execOk('git', ['config', 'core.bare', 'true'], {cwd: remote, env: this.#env});
    await this.git('remote', 'add', 'origin', remote);
    await this.git('push', '--quiet', '--set-upstream', 'origin', 'main');
    return remote;
  }

  /** Somebody at work on a version. */
  desk({version = '1.1.0', attended = false, askLogin, allows = [], store}: IoOptions = {}): Desk {
    const components = {service: this.#settings};
    const environments = {production: {aws: {accountId: '111122223333', region: 'us-east-1'}}};
    const text = JSON.stringify({
      application: 'app',
      ...(store && {store}),
      environments,
      registries: {ecr: {kind: 'ecr'}},
      components,
    });
    const loaded = parseConfig(text, join(this.folder, 'deploy-wizard.config.json'), this.#env);
    const {context} = deskAt({folder: this.folder, env: this.#env});
    const redaction = createRedaction();
    const logs = createJobLogs(undefined, redaction);
    const world = worldOf(context, {
      loaded,
      version,
      logs,
      redaction,
      scratch: join(this.root, 'scratch'),
      attended,
      allowed: flag => allows.includes(flag),
      ...(askLogin && {askLogin}),
    });
    const io = world.ioFor({component: 'service', phase: 'push'}, createStop());
    const names = {version, environment: 'production', values: {}, env: this.#env};
    const component = {...terraformConfig.parse(componentSettings(loaded, 'service', names)), id: 'service'};
    return {
      io,
      log: () => logs.tail('service.push', 1000).join('\n'),
      run: async steps => {
        const results = new Map<string, Json>();
        const told: string[] = [];
        for (const step of steps) {
          // As the record has it.
          const request = json.parse(JSON.parse(JSON.stringify(await step.request(io, results))));
          const result = json.parse(JSON.parse(JSON.stringify(await step.perform(io, request))));
          results.set(step.id, result);
          told.push(step.tell(result));
        }
        return {told, results};
      },
      steps: () => new Map(prepareSteps(component, sourceOf(component), version).map(step => [step.id, step])),
      observe: () => terraform.observe(component, io),
      check: async about => {
        const claim = sourceRequirements(component, version).find(({id}) => id === `service ${about}` || id === about);
        const check = claim && (await checkSource(component, claim, io));
        if (check === undefined) throw new Error(`Nothing is required of ${about}.`);
        return check;
      },
    };
  }

  async remove(): Promise<void> {
    await rm(this.root, {recursive: true, force: true});
  }
}

const settingsOf = (source: Json): Json => ({kind: 'terraform', directory: 'ci', set: {image_tag: '${version}'}, source});

function sourceOf({source}: Named<TerraformConfig>): Source {
  if (source === undefined) throw new Error('The component has no source.');
  return source;
}
