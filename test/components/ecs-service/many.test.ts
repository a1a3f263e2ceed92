import {expect, onTestFinished, test} from 'vitest';
import {checkRollout} from '../../../src/components/aws/rollout.ts';
import {startEmulator} from '../../../src/emulator/index.ts';
import {watch} from '../../../src/release/checks.ts';
import {type Clock, createStop} from '../../../src/release/contract.ts';
import type {Claim} from '../../../src/release/model.ts';
import {createAws} from '../../../src/tools/aws/index.ts';
import {image} from '../../emulator/story.ts';
import {createRegistry} from '../../../src/tools/registry.ts';

/** How much faster than outside time runs, on the endpoint and for those who look. */
const speed = 10;
const started = Date.now();
const clock: Clock = {
  now: () => started + (Date.now() - started) * speed,
  sleep: (ms, _signal) => new Promise(resolve => setTimeout(resolve, ms / speed)),
};

const count = 60;

test('sixty services that roll at once cost seven DescribeServices a second, and little else while nothing fails', async () => {
  const {url, world, calls, close} = await startEmulator({speed, scenario: 'slow'});
  onTestFinished(close);
  for (const tag of ['1.0.0', '1.1.0']) world.putImage('web', tag);
  const register = (family: string, tag: string) =>
    world.registerTaskDefinition({family, containerDefinitions: [{name: 'app', image: image('web', tag)}]});
  const digest = world.putImage('web', '1.1.0');
  const services = Array.from({length: count}, (_, index) => {
    const service = `service-${index}`;
    const from = register(service, '1.0.0');
    world.createService({cluster: 'main', service, taskDefinition: from, desiredCount: 2});
    return {service, from, taskDefinition: register(service, '1.1.0')};
  });
  const aws = createAws({
    region: 'us-east-1',
    profile: undefined,
    login: undefined,
    env: {AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret'},
    timer: {now: clock.now, sleep: ms => clock.sleep(ms, new AbortController().signal)},
  });
  const {signal, command} = {signal: new AbortController().signal, command: createStop().command};
  const io = {
    aws,
    clock,
    signal,
    stopCommand: command,
    log: () => undefined,
    progress: () => undefined,
    registry: createRegistry({credentials: () => Promise.resolve(undefined)}),
  };
  const looker = {
    check: (claim: Claim, of: typeof io) => checkRollout(claim, of) ?? Promise.reject(new Error('no claim of a rollout')),
  };

  const began = calls.length;
  const since = Date.now();
  const ends = await Promise.all(
    services.map(async ({service, from, taskDefinition}) => {
      const {at} = await aws.ecs.updateService('main', service, {taskDefinition}, () => Promise.resolve());
      const images = [{container: 'app', image: image('web', '1.1.0'), digest}];
      const subject = {
        cluster: 'main',
        service,
        from,
        taskDefinition,
        images,
        replaced: null,
        since: at ?? null,
        takenBack: null,
      };
      const claim = (is: string): Claim => ({id: is, text: is, subject: {is, ...subject}, within: 600_000});
      return Promise.all(['rollout', 'digests'].map(is => watch(looker, claim(is), io, () => Promise.resolve())));
    }),
  );
  const seconds = ((Date.now() - since) * speed) / 1000;

  expect(ends.flat().filter(({status}) => status !== 'passed')).toEqual([]);
  const made = new Map([...Map.groupBy(calls.slice(began), ({action}) => action)].map(([action, all]) => [action, all.length]));
  const rate = (action: string) => (made.get(action) ?? 0) / seconds;
  expect(rate('DescribeServices')).toBeLessThanOrEqual(7);
  expect(rate('DescribeServiceDeployments')).toBeLessThanOrEqual(4);
  // Once or twice a service: until ours is found among them.
  expect(made.get('ListServiceDeployments')).toBeLessThanOrEqual(2 * count);
  expect(made.get('DescribeServiceRevisions')).toBeLessThanOrEqual(count);
  expect(rate('ListTasks')).toBeLessThanOrEqual(16);
  expect(rate('DescribeTasks')).toBeLessThanOrEqual(7);
}, 60_000);
