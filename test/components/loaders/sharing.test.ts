/** Components of one release whose definitions are started by the same thing, or that start the same definition. */
import {expect, test} from 'vitest';
import {bindComponent} from '../../../src/components/index.ts';
import {UnsentError} from '../../../src/release/errors.ts';
import type {Component} from '../../../src/release/contract.ts';
import type {Json} from '../../../src/release/json.ts';
import type {Io} from '../../../src/components/io.ts';
import {type Story, image, story} from '../../emulator/story.ts';
import {performOnce} from '../support/world.ts';
import {bench} from './support.ts';

const cluster = 'arn:aws:ecs:us-east-1:000000000000:cluster/main';
const role = 'arn:aws:iam::000000000000:role/start';
const definition = (name: string) => `arn:aws:ecs:us-east-1:000000000000:task-definition/${name}`;

/** A family for each of the names, on 1.13.2. */
function register({world}: Story, names: readonly string[]): void {
  for (const tag of ['1.13.2', '1.14.0']) world.putImage('loader', tag);
  for (const family of names)
    world.registerTaskDefinition({family, containerDefinitions: [{name: 'loader', image: image('loader', '1.13.2')}]});
}

/** Components that share their tools, as those of a release do. */
function together(url: string, settings: readonly Readonly<Record<string, unknown>>[]) {
  const of = (one: Readonly<Record<string, unknown>>) => ({
    kind: 'ecs-scheduled-task' as const,
    images: {loader: 'ecr/loader'},
    ...one,
  });
  const {io} = bench(url, of(settings[0] ?? {}));
  return {io, components: settings.map((one, index) => bindComponent('ecs-scheduled-task', `loader-${index}`, of(one)))};
}

async function apply(component: Component<Io>, io: Io): Promise<{readonly claims: () => Promise<readonly string[]>}> {
  const plan = await component.plan({is: 'release', version: '1.14.0'}, io, new Map());
  const results = new Map<string, Json>();
  for (const step of component.steps(plan)) results.set(step.id, await performOnce(step, io, results));
  return {
    claims: async () => {
      const checks = await Promise.all(component.claims(plan, results).map(claim => component.check(claim, io)));
      return checks.map(({status, found}) => `${status}: ${found}`);
    },
  };
}

/** A state machine that starts a task of each of the families. */
async function orchestrated(names: readonly string[]) {
  const told = await story();
  register(told, names);
  const States = Object.fromEntries(
    names.map(name => [
      name,
      {
        Type: 'Task',
        Resource: 'arn:aws:states:::ecs:runTask.sync',
        Parameters: {Cluster: cluster, TaskDefinition: definition(`${name}:1`)},
        End: true,
      },
    ]),
  );
  told.world.createStateMachine({name: 'load', roleArn: role, definition: JSON.stringify({StartAt: names[0], States})});
  return {
    ...told,
    ...together(
      told.url,
      names.map(family => ({family, targets: [{stateMachine: 'load'}]})),
    ),
  };
}

test('loaders that one state machine starts are moved one after another: none undoes what another one has changed', async () => {
  const names = ['grants', 'journals', 'nihms', 'policies'];
  const {io, components, calls} = await orchestrated(names);
  const applied = await Promise.all(components.map(component => apply(component, io)));
  const found = await Promise.all(applied.map(({claims}) => claims()));
  expect(found.map(lines => lines[1])).toEqual(names.map(name => `passed: state ${name} starts ${name}:2`));
  expect(calls.filter(({action}) => action === 'UpdateStateMachine')).toHaveLength(names.length);
});

test('whoever is stopped before its turn to move a state machine sends nothing', async () => {
  const {io, components, calls} = await orchestrated(['grants']);
  const [grants] = components;
  const plan = await grants?.plan({is: 'release', version: '1.14.0'}, io, new Map());
  const [registering, moving] = plan === undefined ? [] : (grants?.steps(plan) ?? []);
  if (registering === undefined || moving === undefined) throw new Error('it registers, and moves');
  const request = await moving.request(io, new Map([[registering.id, await performOnce(registering, io, new Map())]]));
  await expect(moving.perform({...io, signal: AbortSignal.abort()}, request)).rejects.toThrow(UnsentError);
  expect(calls.filter(({action}) => action === 'UpdateStateMachine')).toEqual([]);
});

test('what another component of the release has moved meanwhile is not told as it was', async () => {
  const told = await story();
  register(told, ['loader']);
  for (const name of ['nightly', 'weekly']) {
    told.world.createRule({name, ScheduleExpression: 'rate(1 day)'});
    const EcsParameters = {TaskDefinitionArn: definition('loader:1')};
    told.world.putTargets({name}, [{Id: 'load', Arn: cluster, RoleArn: role, EcsParameters}]);
  }
  const rules = ['nightly', 'weekly'].map(rule => ({family: 'loader', targets: [{rule}]}));
  const {io, components} = together(told.url, rules);
  const [nightly, weekly] = components;
  if (nightly === undefined || weekly === undefined) throw new Error('there are two');
  const first = await apply(nightly, io);
  expect((await first.claims()).at(-1)).toBe('warned: target load of rule weekly starts loader:1');
  await apply(weekly, io);
  expect((await first.claims()).at(-1)).toBe('passed: looked at: rules 2, schedules 0, state machines 0');
});
