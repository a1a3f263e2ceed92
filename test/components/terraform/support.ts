/** A Terraform component in this process: the kind as it is, with real Terraform, git and supervisor. */
import {execFileSync} from 'node:child_process';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {onTestFinished} from 'vitest';
import {bindComponent} from '../../../src/components/index.ts';
import type {Io, UnfinishedChange} from '../../../src/components/io.ts';
import {config} from '../../../src/config/schema.ts';
import {type Component, type Results, type StateTarget, createStop, noResults} from '../../../src/release/contract.ts';
import type {Json} from '../../../src/release/json.ts';
import type {AnyComponentPlan, Check} from '../../../src/release/model.ts';
import {createJobLogs} from '../../../src/record/logs.ts';
import {createRedaction} from '../../../src/record/redact.ts';
import {deskAt} from '../../commands/support/desk.ts';
import {bundleSupervisor, env, module, sleep, write} from '../../tools/terraform/support.ts';
import {worldOf} from '../support/world.ts';

export interface ProjectOptions {
  /** Files by path; `ci` is the module. */
  readonly files: Readonly<Record<string, string>>;
  /** Of the component, beside kind and directory. */
  readonly settings?: Readonly<Record<string, Json>>;
  /** Of the environment. */
  readonly aws?: {readonly region: string};
  readonly policy?: {readonly maxDowntime: string};
  /** Added to the environment of the tools. */
  readonly env?: Readonly<Record<string, string>>;
  readonly version?: string;
  readonly lastDowntimes?: readonly number[];
  readonly readOnly?: boolean;
  readonly forced?: AbortSignal;
  /** What the records say of a change that never came to its end. */
  readonly unfinished?: () => UnfinishedChange | undefined;
}

export interface Project {
  readonly folder: string;
  readonly component: Component<Io>;
  readonly io: Io;
  /** Every line that was logged, redacted. */
  log(): readonly string[];
  /** What becomes of a text on its way to a screen or a record. */
  shown(text: string): string;
  path(...names: readonly string[]): string;
  write(file: string, text: string): Promise<void>;
  plan(target?: StateTarget<Json>): Promise<AnyComponentPlan>;
  /** Performs all steps; returns their results by id. */
  apply(plan: AnyComponentPlan): Promise<Map<string, Json>>;
  /** Looks at every claim of a plan once, by the last word of its id. */
  prove(plan: AnyComponentPlan, results?: Results): Promise<Readonly<Record<string, Check>>>;
  /** Looks at a requirement, by the last word of its id. */
  require(name: string): Promise<Check>;
  /** Runs git in the folder. */
  git(...args: readonly string[]): string;
  stop(by?: 'SIGINT' | 'time limit'): void;
  /** The time limit is long over, and what was stopped has not ended. */
  leave(): void;
}

export async function project(options: ProjectOptions): Promise<Project> {
  const {
    files,
    settings = {},
    aws,
    policy,
    version = '0.7.2',
    lastDowntimes = [],
    readOnly = false,
    forced,
    unfinished,
  } = options;
  const folder = await module(files);
  const scratch = await mkdtemp(join(tmpdir(), 'dw-scratch-'));
  onTestFinished(() => rm(scratch, {recursive: true, force: true}));
  const bound = JSON.parse(JSON.stringify({kind: 'terraform', directory: 'ci', ...settings}).replaceAll('${version}', version));
  const source = {
    application: 'app',
    store: join(folder, 'records'),
    environments: {production: {...(aws && {aws}), ...(policy && {policy})}},
    components: {service: bound},
  };
  const tools = {...env, HOME: folder, GIT_CONFIG_NOSYSTEM: '1', ...options.env};
  const {context} = deskAt(
    {folder, env: tools},
    {
      clock: {now: Date.now, sleep},
      supervisor: {node: process.execPath, script: await bundleSupervisor(scratch)},
    },
  );
  const redaction = createRedaction();
  const logs = createJobLogs(undefined, redaction);
  const stop = createStop();
  const world = worldOf(context, {
    loaded: {path: join(folder, 'deploy-wizard.config.yaml'), folder, config: config.parse(source), source},
    version,
    logs,
    redaction,
    scratch,
    lastDowntimes: new Map([['service', lastDowntimes]]),
    ...(forced && {forced}),
    ...(unfinished && {unfinished: async () => unfinished()}),
    readOnly,
  });
  onTestFinished(() => world.close());
  const component = bindComponent('terraform', 'service', bound);
  const io = world.ioFor({component: 'service', phase: 'apply'}, stop);
  const named = (id: string) => id.split(' ').at(-1) ?? id;
  return {
    folder,
    component,
    io,
    log: () => logs.tail('service.apply', 1000),
    shown: redaction.text,
    path: (...names) => join(folder, ...names),
    write: (file, text) => write(join(folder, file), text),
    plan: target => component.plan(target ?? {is: 'release', version}, io, noResults),
    apply: async plan => {
      const results = new Map<string, Json>();
      for (const step of component.steps(plan)) results.set(step.id, await step.perform(io, await step.request(io, results)));
      return results;
    },
    prove: async (plan, results = noResults) => {
      const claims = component.claims(plan, results);
      const checks = await Promise.all(claims.map(async claim => [named(claim.id), await component.check(claim, io)] as const));
      return Object.fromEntries(checks);
    },
    require: async name => {
      const claims = component.requirements({is: 'release', version});
      const claim = claims.find(({id}) => named(id) === name);
      if (claim === undefined) throw new Error(`There is no requirement ${name}: ${claims.map(({id}) => id).join(', ')}`);
      return component.check(claim, io);
    },
    git: (...args) => execFileSync('git', args, {cwd: folder, env: tools, encoding: 'utf8'}).trim(),
    stop: (by = 'SIGINT') => stop.request({do: 'stop', by}),
    leave: () => stop.request({do: 'detach', by: 'time limit'}),
  };
}
