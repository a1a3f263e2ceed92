/** The service `web` of three tasks on 1.0.0, on an endpoint whose time passes only while somebody waits. */
import {tmpdir} from 'node:os';
import {onTestFinished} from 'vitest';
import {bindComponent} from '../../../src/components/index.ts';
import type {Io} from '../../../src/components/io.ts';
import {config} from '../../../src/config/schema.ts';
import type {EmulatorOptions, SeededService} from '../../../src/emulator/index.ts';
import {watch} from '../../../src/release/checks.ts';
import {type Component, type Results, type Target, createStop} from '../../../src/release/contract.ts';
import type {Json} from '../../../src/release/json.ts';
import type {AnyComponentPlan, Check} from '../../../src/release/model.ts';
import {deskAt} from '../../commands/support/desk.ts';
import {NOON, type Story, image, story} from '../../emulator/story.ts';
import {performOnce, standingClock, worldOf} from '../support/world.ts';

const settings = {kind: 'ecs-service', cluster: 'main', service: 'web', images: {app: 'ecr/web'}} as const;

export interface Applied {
  readonly plan: AnyComponentPlan;
  readonly results: Results;
  readonly told: readonly string[];
}

export interface ServiceStory extends Story {
  readonly component: Component<Io>;
  readonly io: Io;
  /** What was logged. */
  readonly log: readonly string[];
  /** ARN of a new revision of `web` that names this tag. */
  register(tag: string): string;
  plan(target: string | Target<Json>): Promise<AnyComponentPlan>;
  apply(plan: AnyComponentPlan): Promise<Applied>;
  /** Looks at the rollout until it is decided, as the engine does; every look that said something new. */
  watch(applied: Applied, patient?: boolean): Promise<{readonly end: Check; readonly seen: readonly Check[]}>;
  /** Looks at every claim once, as an audit does. */
  audit(applied: Pick<Applied, 'plan' | 'results'>): Promise<readonly Check[]>;
  release(version: string): Promise<Applied>;
  /** What was there before: what a way back goes to. */
  observe(): Promise<Target<Json> & {readonly is: 'state'}>;
  requirement(): Promise<Check>;
  /** How often each action was called since it was last asked. */
  called(): Readonly<Record<string, number>>;
  /** Revision, state and tasks of each deployment of the service, newest first. */
  rows(): Promise<readonly string[]>;
}

export async function serviceStory({
  emulator = {},
  service = {},
  behind,
  more = {},
}: {
  readonly emulator?: Omit<EmulatorOptions, 'now'>;
  readonly service?: Partial<SeededService>;
  /** Name of the target group that it is behind. */
  readonly behind?: string;
  /** Of the component's settings. */
  readonly more?: Readonly<Record<string, Json>>;
} = {}): Promise<ServiceStory> {
  const told = await story(emulator);
  const {world, clock, calls} = told;
  const register = (tag: string) =>
    world.registerTaskDefinition({
      family: 'web',
      tags: [{key: 'project', value: 'pass'}],
      containerDefinitions: [
        {
          name: 'app',
          image: image('web', tag),
          logConfiguration: {logDriver: 'awslogs', options: {'awslogs-group': '/ecs/web', 'awslogs-stream-prefix': 'ecs'}},
        },
      ],
    });
  for (const tag of ['1.0.0', '1.1.0', '1.2.0']) world.putImage('web', tag);
  const targets = behind === undefined ? {} : {targetGroup: world.createTargetGroup({name: behind})};
  world.createService({
    cluster: 'main',
    service: 'web',
    taskDefinition: register('1.0.0'),
    desiredCount: 3,
    ...targets,
    ...service,
  });

  const waits = standingClock(NOON, ms => clock.pass(ms / 1000));
  const {io, log} = ioOf(told.url, waits);
  const component = bindComponent('ecs-service', 'web', {...settings, ...more});
  const targetOf = (target: string | Target<Json>): Target<Json> =>
    typeof target === 'string' ? {is: 'release', version: target} : target;
  const plan: ServiceStory['plan'] = target => component.plan(targetOf(target), io, new Map());
  const apply: ServiceStory['apply'] = async plan => {
    const results = new Map<string, Json>();
    const said: string[] = [];
    for (const step of component.steps(plan)) {
      const result = await performOnce(step, io, results);
      results.set(step.id, result);
      said.push(step.tell(result));
    }
    return {plan, results, told: said};
  };
  let before = 0;
  return {
    ...told,
    component,
    io,
    log,
    register,
    plan,
    apply,
    watch: async ({plan, results}, patient = false) => {
      const [rollout] = component.claims(plan, results);
      if (rollout === undefined) throw new Error('nothing is claimed');
      const seen: Check[] = [];
      const end = await watch(component, rollout, io, check => Promise.resolve(void seen.push(check)), patient);
      return {end, seen};
    },
    audit: ({plan, results}) => Promise.all(component.claims(plan, results).map(claim => component.check(claim, io))),
    release: async version => apply(await plan(version)),
    observe: async () => {
      const seen = await component.observe(io);
      if (seen === undefined) throw new Error('there is no service');
      return {is: 'state', version: seen.version ?? 'unknown', state: seen.state};
    },
    requirement: async () => {
      const claim = component.requirements(targetOf('1.1.0')).find(({id}) => id === 'web service');
      if (claim === undefined) throw new Error('the service is not required');
      return component.check(claim, io);
    },
    called: () => {
      const fresh = calls.slice(before);
      before = calls.length;
      return Object.fromEntries([...Map.groupBy(fresh, ({action}) => action)].map(([action, all]) => [action, all.length]));
    },
    rows: async () => {
      const service = await io.aws.ecs.service('main', 'web');
      return (service?.deployments ?? []).map(
        ({taskDefinition, rolloutState, runningCount, desiredCount}) =>
          `${taskDefinition?.split('/')[1]} ${rolloutState} ${runningCount}/${desiredCount}`,
      );
    },
  };
}

function ioOf(url: string, clock: Io['clock']): {readonly io: Io; readonly log: readonly string[]} {
  const source = {
    application: 'pass',
    environments: {production: {aws: {region: 'us-east-1'}}},
    registries: {ecr: {kind: 'ecr'}},
    components: {web: settings},
  };
  const env = {AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret'};
  const {context} = deskAt({folder: tmpdir(), env}, {clock});
  const log: string[] = [];
  const world = worldOf(context, {
    loaded: {path: 'deploy-wizard.config.yaml', folder: tmpdir(), config: config.parse(source), source: {}},
    version: '1.1.0',
    scratch: tmpdir(),
  });
  onTestFinished(() => world.close());
  const io = world.ioFor({component: 'web', phase: 'verify'}, createStop());
  return {io: {...io, log: line => void log.push(line)}, log};
}
