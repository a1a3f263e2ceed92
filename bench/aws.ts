/**
 * How soon the end of a rollout is noticed, and what looking costs. The program itself, as it is built, against the embedded
 * endpoint at the speed of AWS; sixty services at once in this process.
 */
import {setTimeout as sleep} from 'node:timers/promises';
import {DescribeServicesCommand, DescribeTasksCommand, ListTasksCommand} from '@aws-sdk/client-ecs';
import {checkRollout} from '../src/components/aws/rollout.ts';
import {startEmulator} from '../src/emulator/index.ts';
import {watch} from '../src/release/checks.ts';
import {type Clock, createStop} from '../src/release/contract.ts';
import {StoppedError} from '../src/release/errors.ts';
import type {Claim} from '../src/release/model.ts';
import {createAws} from '../src/tools/aws/index.ts';
import {createRegistry} from '../src/tools/registry.ts';
import {type Pass, account, cluster, credentials, image, region, released, startPass} from '../test/support/pass.ts';
import {type RunRecord, eventsOf} from '../test/support/program.ts';
import {cleanly} from './cleanly.ts';
import type {Bench, Figure} from './figures.ts';

const component = 'deposit-services';
/** How often each is measured. */
const times = 3;

export const aws: Bench = {
  title: 'one service with the program as it is built, at the speed of AWS; sixty services in one cluster',
  measure: async () => [...(await rollouts()), ...(await failures()), ...(await sixty())],
  beside: [
    'The peers, on an endpoint of the same kind (facts/aws.md, section 5), one service of 3 tasks, a rollout of 6.0 s:',
    '  aws ecs wait services-stable              17.6 s in total,  4 calls; cannot be pulled: waits 10 min',
    '  amazon-ecs-deploy-task-definition 2.6.3   15.7 s in total,  6 calls; cannot be pulled: 39.7 s, without the reason',
    '  fabfuel/ecs-deploy 1.15.2                  6.8 s in total, 14 calls; cannot be pulled: never within 60 s',
  ],
};

// ── one service ──────────────────────────────────────────────────────────────────────────────────────

interface Once {
  readonly pass: Pass;
  readonly record: RunRecord;
  /** Seconds from its start to its end. */
  readonly took: number;
}

function release(
  scenario: 'healthy' | 'cannot-pull',
  look: (once: Once) => Promise<readonly number[]>,
): Promise<readonly number[]> {
  return cleanly(async finished => {
    const pass = await startPass({speed: 1}, finished);
    pass.world.scenarioFor(component, scenario);
    const began = Date.now();
    await pass.release('--component', component);
    return look({pass, took: (Date.now() - began) / 1000, record: await pass.record()});
  });
}

async function rollouts(): Promise<readonly Figure[]> {
  const runs: (readonly number[])[] = [];
  for (let time = 0; time < times; time++) {
    runs.push(
      await release('healthy', async ({pass, took, record}) => {
        const {services: [service] = []} = await pass.ecs.send(new DescribeServicesCommand({cluster, services: [component]}));
        const steady =
          service?.events?.find(({message}) => message?.includes('steady state'))?.createdAt?.getTime() ?? Number.NaN;
        const began = Date.parse(eventsOf(record, 'effect').find(({step}) => step === 'update-service')?.at ?? '');
        const watching = pass.calls.filter(({at, service: of}) => of === 'ecs' && at > began).length;
        return [(steady - began) / 1000, (verdictAt(record) - steady) / 1000, took, watching];
      }),
    );
  }
  return [
    {what: 'a rollout of two tasks, by itself', unit: 's', values: column(runs, 0)},
    {what: 'from steady to noticed', unit: 's', values: column(runs, 1), limit: 1.5},
    {what: 'the program, from start to exit', unit: 's', values: column(runs, 2)},
    {what: 'calls to ECS while it watched and proved', unit: '', values: column(runs, 3)},
  ];
}

async function failures(): Promise<readonly Figure[]> {
  const runs: (readonly number[])[] = [];
  for (let time = 0; time < times; time++) {
    runs.push(
      await release('cannot-pull', async ({pass, record}) => {
        const {taskArns = []} = await pass.ecs.send(
          new ListTasksCommand({cluster, serviceName: component, desiredStatus: 'STOPPED'}),
        );
        const {tasks = []} = await pass.ecs.send(new DescribeTasksCommand({cluster, tasks: taskArns}));
        const first = Math.min(
          ...tasks.flatMap(({stoppedAt, stopCode}) => (stopCode === 'TaskFailedToStart' ? (stoppedAt?.getTime() ?? []) : [])),
        );
        return [(verdictAt(record) - first) / 1000];
      }),
    );
  }
  return [
    {
      what: 'an image that cannot be pulled: from the first stopped task to "failed"',
      unit: 's',
      values: column(runs, 0),
      limit: 3,
    },
  ];
}

/** When the rollout was first said to be there, or to have failed. */
function verdictAt(record: RunRecord): number {
  const verdict = eventsOf(record, 'check').find(
    ({check}) => check.claim === `${component} rollout` && (check.status === 'passed' || check.status === 'failed'),
  );
  return Date.parse(verdict?.at ?? '');
}

function column(runs: readonly (readonly number[])[], index: number): readonly number[] {
  return runs.map(values => values[index] ?? Number.NaN);
}

// ── sixty services ───────────────────────────────────────────────────────────────────────────────────

const count = 60;
/** How much faster than outside time runs there. */
const speed = 20;
/** How long they are watched, how often the heap is weighed, and over how long calls are counted, in seconds of theirs. */
const [watched, weighed, counted] = [600, 60, 30];

async function sixty(): Promise<readonly Figure[]> {
  return cleanly(async finished => {
    // They take longer than anybody waits.
    const emulator = await startEmulator({speed, accountId: account, region, scenario: {slowdown: 1000}});
    finished(() => emulator.close());
    const {url, world, calls} = emulator;
    const digests = ['1.0.0', released].map(tag => world.putImage('web', tag));
    const clock = fastClock();
    const stopping = new AbortController();
    const aws = createAws({
      region,
      profile: undefined,
      login: undefined,
      env: {AWS_ENDPOINT_URL: url, ...credentials},
      timer: {now: clock.now, sleep: ms => clock.sleep(ms, new AbortController().signal)},
    });
    const io = {
      aws,
      clock,
      signal: stopping.signal,
      stopCommand: createStop().command,
      log: () => undefined,
      progress: () => undefined,
      place: {region},
      registry: createRegistry({credentials: () => Promise.resolve(undefined)}),
    };
    const looker = {
      check: (claim: Claim, of: typeof io) => checkRollout(claim, of) ?? Promise.reject(new Error('no claim of a rollout')),
    };
    const claims = await Promise.all(
      Array.from({length: count}, async (_, index): Promise<Claim> => {
        const service = `service-${index}`;
        const register = (tag: string) =>
          world.registerTaskDefinition({family: service, containerDefinitions: [{name: 'app', image: image('web', tag)}]});
        const from = register('1.0.0');
        world.createService({cluster, service, taskDefinition: from, desiredCount: 2});
        const taskDefinition = register(released);
        const {at} = await aws.ecs.updateService(cluster, service, {taskDefinition}, () => Promise.resolve());
        const images = [{container: 'app', image: image('web', released), digest: digests[1] ?? ''}];
        const subject = {
          is: 'rollout',
          cluster,
          service,
          from,
          taskDefinition,
          images,
          replaced: null,
          since: at ?? null,
          takenBack: null,
        };
        return {id: `${service} rollout`, text: `${service} runs it`, subject, within: 2 * watched * 1000};
      }),
    );
    const looks = Promise.all(
      claims.map(claim =>
        watch(looker, claim, io, () => Promise.resolve()).catch((error: unknown) => {
          if (!(error instanceof StoppedError)) throw error;
        }),
      ),
    );
    const heap: number[] = [];
    const described: number[] = [];
    for (let second = 0; second < watched; second += weighed) {
      await sleep((weighed * 1000) / speed);
      globalThis.gc?.();
      heap.push(process.memoryUsage().heapUsed / 2 ** 20);
      // The endpoint remembers its latest calls only.
      const since = Date.now() - (counted * 1000) / speed;
      described.push(calls.filter(({action, at}) => action === 'DescribeServices' && at > since).length / counted);
    }
    stopping.abort();
    await looks;
    return [
      {what: `${count} services: DescribeServices a tick (a second), by the minute`, unit: '', values: described, limit: 7},
      {what: `${count} services: heap, by the minute`, unit: 'MB', values: heap},
      {
        what: `${count} services: heap after ten minutes, more than after one`,
        unit: 'MB',
        values: [(heap.at(-1) ?? 0) - (heap[0] ?? 0)],
        limit: 5,
      },
    ];
  });
}

function fastClock(): Clock {
  const start = Date.now();
  return {
    now: () => start + (Date.now() - start) * speed,
    sleep: async (ms, signal) => {
      await sleep(ms / speed, undefined, {signal}).catch(() => {
        throw new StoppedError('stopped while waiting');
      });
    },
  };
}
