import * as fc from 'fast-check';
import {expect, test} from 'vitest';
import {
  deploy,
  newService,
  requestRollback,
  requestStop,
  scale,
  type Circumstances,
  type Target,
} from '../../src/emulator/ecs/deploying.ts';
import {isHealthy} from '../../src/emulator/ecs/lifecycle.ts';
import type {ServiceState} from '../../src/emulator/ecs/model.ts';
import {advance, change} from '../../src/emulator/ecs/rollout.ts';
import {deploymentsOf, isLive} from '../../src/emulator/ecs/state.ts';
import {behave, type Scenario} from '../../src/emulator/scenarios.ts';

const SCENARIOS: readonly Scenario[] = ['healthy', 'cannot-pull', 'crash-loop', 'unhealthy', 'slow', 'superseded', 'stopped'];

const target = (name: string): Target => ({
  taskDefinition: name,
  images: [{containerName: 'app', image: name, imageDigest: `sha256:${name}`, hasHealthCheck: false}],
});

const circumstances = (at: number, ...scenarios: readonly Scenario[]): Circumstances => ({
  at,
  second: 1000,
  behaviour: behave(...scenarios),
});

/** A service of `desiredCount` tasks that is steady at its second 1000. */
const steadyService = (desiredCount: number, breaker: boolean): ServiceState =>
  advance(
    newService(
      {
        name: 'web',
        arn: 'arn:web',
        clusterName: 'main',
        seed: 'seed',
        desiredCount,
        declared: {},
        configuration: {
          minimumHealthyPercent: 100,
          maximumPercent: 200,
          deploymentCircuitBreaker: {enable: breaker, rollback: breaker},
        },
        target: target('first'),
      },
      circumstances(0),
    ),
    1_000_000,
  );

type Doing = (state: ServiceState, at: number) => ServiceState;

const deploying = fc
  .constantFrom(...SCENARIOS)
  .map<Doing>(scenario => (state, at) => deploy(state, target('next'), circumstances(at, scenario)));
const stopping = fc
  .constantFrom(requestRollback, requestStop)
  .map<Doing>(request => (state, at) => (isLive(state.deployment) ? request(state, at) : state));
const scaling = fc.integer({min: 0, max: 5}).map<Doing>(count => state => scale(state, count));

/** What somebody does, and how many milliseconds after the last. */
const story = (...doings: readonly fc.Arbitrary<Doing>[]) =>
  fc.array(fc.record({after: fc.integer({min: 1, max: 40_000}), make: fc.oneof(...doings)}), {maxLength: 6});

/** All states on the way: after everything that is done, and at each look in between. */
function play(
  start: ServiceState,
  steps: readonly {after: number; make: Doing}[],
  lookEvery = Number.POSITIVE_INFINITY,
): ServiceState[] {
  const states = [start];
  let state = start;
  const look = (at: number): void => void states.push((state = advance(state, at)));
  for (const {after, make} of [...steps, {after: 120_000, make: (same: ServiceState) => same}]) {
    const at = state.at + after;
    for (let moment = state.at + lookEvery; moment < at; moment += lookEvery) look(moment);
    state = change(state, at, so => make(so, at));
    states.push(state);
  }
  return states;
}

test('it does not matter how often somebody looks', () => {
  fc.assert(
    fc.property(
      story(deploying, stopping, scaling),
      fc.boolean(),
      fc.integer({min: 100, max: 9000}),
      (steps, breaker, lookEvery) => {
        const start = steadyService(3, breaker);
        expect(play(start, steps, lookEvery).at(-1)).toEqual(play(start, steps).at(-1));
      },
    ),
  );
});

test('no release, good or bad, and no way back takes a task away before there is another', () => {
  fc.assert(
    fc.property(story(deploying, stopping), fc.boolean(), fc.integer({min: 1, max: 5}), (steps, breaker, desiredCount) => {
      for (const state of play(steadyService(desiredCount, breaker), steps, 700)) {
        expect(state.tasks.filter(task => isHealthy(task, state.at)).length).toBeGreaterThanOrEqual(desiredCount);
        expect(state.tasks.filter(({stoppedAt}) => state.at < stoppedAt).length).toBeLessThanOrEqual(2 * desiredCount);
      }
    }),
  );
});

test('only the latest service deployment is ever going on, and what has ended stays as it ended', () => {
  fc.assert(
    fc.property(story(deploying, stopping, scaling), fc.boolean(), (steps, breaker) => {
      const ended = new Map<string, string>();
      for (const state of play(steadyService(2, breaker), steps, 700)) {
        expect(state.pastDeployments.filter(isLive)).toEqual([]);
        for (const {id, status} of deploymentsOf(state).filter(deployment => !isLive(deployment))) {
          expect(ended.get(id) ?? status).toBe(status);
          ended.set(id, status);
        }
      }
    }),
  );
});

test('with nothing wrong and nobody meddling, every service gets steady', () => {
  fc.assert(
    fc.property(story(deploying, stopping, scaling), steps => {
      const troubled = play(steadyService(2, true), steps).at(-1) ?? steadyService(2, true);
      const at = troubled.at + 1;
      const [last] = play(
        change(troubled, at, so => deploy(so, target('good'), circumstances(at))),
        [],
      ).slice(-1);
      expect(last).toMatchObject({steady: true, primary: {state: 'COMPLETED'}, deployment: {status: 'SUCCESSFUL'}, replaced: []});
    }),
  );
});
