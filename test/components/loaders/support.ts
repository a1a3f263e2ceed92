/** One component in this process, on an endpoint: planned, its steps performed, its claims looked at, as the engine does it. */
import {tmpdir} from 'node:os';
import {deskAt} from '../../commands/support/desk.ts';
import {bindComponent} from '../../../src/components/index.ts';
import type {Io} from '../../../src/components/io.ts';
import {config} from '../../../src/config/schema.ts';
import {type Clock, type Component, type Results, type Target, createStop} from '../../../src/release/contract.ts';
import type {Json} from '../../../src/release/json.ts';
import type {AnyComponentPlan, Check} from '../../../src/release/model.ts';
import {performOnce, standingClock, worldOf} from '../support/world.ts';

export interface Bench {
  readonly io: Io;
  /** The lines of the job's log. */
  readonly logged: readonly string[];
  readonly component: Component<Io>;
  /** Towards a version, or to a state that was observed. */
  plan(target: string | Target<Json>): Promise<AnyComponentPlan>;
  /** Performs the steps of a plan; gives their results, and what they tell. */
  apply(plan: AnyComponentPlan): Promise<{readonly results: Results; readonly told: readonly string[]}>;
  /** Looks at every claim of an applied plan. */
  audit(plan: AnyComponentPlan, results: Results): Promise<readonly Check[]>;
  /** All of it, with the proof. */
  release(
    target: string | Target<Json>,
  ): Promise<{readonly plan: AnyComponentPlan; readonly results: Results; readonly checks: readonly Check[]}>;
  requirements(version: string): Promise<readonly Check[]>;
}

const kinds = ['ecs-scheduled-task', 'batch-job-definition'] as const;

/** `clock`: time that passes as it is waited for. */
export function bench(
  url: string,
  settings: {readonly kind: (typeof kinds)[number]} & Readonly<Record<string, unknown>>,
  clock: Clock = standingClock(Date.UTC(2026, 0, 15, 12)),
): Bench {
  const environment = {aws: {region: 'us-east-1'}};
  const source = {
    application: 'pass',
    environments: {production: environment},
    registries: {ecr: {kind: 'ecr'}},
    components: {loader: settings},
  };
  const env = {AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret'};
  const {context} = deskAt({folder: tmpdir(), env}, {clock});
  const world = worldOf(context, {
    loaded: {path: 'deploy-wizard.config.yaml', folder: tmpdir(), config: config.parse(source), source: {}},
    version: '1.14.0',
    scratch: tmpdir(),
  });
  const logged: string[] = [];
  const io: Io = {...world.ioFor({component: 'loader', phase: 'apply'}, createStop()), log: line => void logged.push(line)};
  const component = bindComponent(settings.kind, 'loader', settings);
  const targetOf = (target: string | Target<Json>): Target<Json> =>
    typeof target === 'string' ? {is: 'release', version: target} : target;

  const self: Bench = {
    io,
    logged,
    component,
    plan: target => component.plan(targetOf(target), io, new Map()),
    apply: async plan => {
      const results = new Map<string, Json>();
      const told: string[] = [];
      for (const step of component.steps(plan)) {
        const result = await performOnce(step, io, results);
        results.set(step.id, result);
        told.push(step.tell(result));
      }
      return {results, told};
    },
    audit: (plan, results) => Promise.all(component.claims(plan, results).map(claim => component.check(claim, io))),
    release: async target => {
      const plan = await self.plan(target);
      const {results} = await self.apply(plan);
      return {plan, results, checks: await self.audit(plan, results)};
    },
    requirements: version => Promise.all(component.requirements(targetOf(version)).map(claim => component.check(claim, io))),
  };
  return self;
}

/** The checks that are not passed, as `status: text: found`. */
export function notPassed(checks: readonly Check[]): readonly string[] {
  return checks.filter(({status}) => status !== 'passed').map(({status, text, found}) => `${status}: ${text}: ${found}`);
}
