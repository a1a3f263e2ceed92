import {BatchClient} from '@aws-sdk/client-batch';
import {CloudWatchLogsClient} from '@aws-sdk/client-cloudwatch-logs';
import {ECRClient} from '@aws-sdk/client-ecr';
import {ECSClient} from '@aws-sdk/client-ecs';
import {ElasticLoadBalancingV2Client} from '@aws-sdk/client-elastic-load-balancing-v2';
import {EventBridgeClient} from '@aws-sdk/client-eventbridge';
import {IAMClient} from '@aws-sdk/client-iam';
import {SchedulerClient} from '@aws-sdk/client-scheduler';
import {SFNClient} from '@aws-sdk/client-sfn';
import {SNSClient} from '@aws-sdk/client-sns';
import {STSClient} from '@aws-sdk/client-sts';
import {onTestFinished} from 'vitest';
import {type Emulator, type EmulatorOptions, startEmulator} from '../../src/emulator/index.ts';

/** Noon of an ordinary day: where every story's clock starts. */
export const NOON = Date.UTC(2026, 0, 15, 12);

/** Time that passes only when the test says so. */
interface Clock {
  now(): number;
  pass(seconds: number): void;
}

/** Unmodified SDK clients, which send every request once if nothing else is said. */
export function clientsFor(endpoint: string, {maxAttempts = 1} = {}) {
  const config = {
    endpoint,
    region: 'us-east-1',
    maxAttempts,
    credentials: {accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret'},
  };
  const clients = {
    ecs: new ECSClient(config),
    ecr: new ECRClient(config),
    events: new EventBridgeClient(config),
    sns: new SNSClient(config),
    sts: new STSClient(config),
    scheduler: new SchedulerClient(config),
    batch: new BatchClient(config),
    states: new SFNClient(config),
    logs: new CloudWatchLogsClient(config),
    elb: new ElasticLoadBalancingV2Client(config),
    iam: new IAMClient(config),
  };
  onTestFinished(() => Object.values(clients).forEach(client => client.destroy()));
  return clients;
}

export type Clients = ReturnType<typeof clientsFor>;
export type Story = Clients & Pick<Emulator, 'world' | 'url' | 'calls'> & {clock: Clock};

/** An account with a clock in the test's hands, gone when the test is over. */
export async function story(options: Omit<EmulatorOptions, 'now'> = {}): Promise<Story> {
  let now = NOON;
  const emulator = await startEmulator({...options, now: () => now});
  onTestFinished(() => emulator.close());
  const clock = {now: () => now, pass: (seconds: number) => void (now += seconds * 1000)};
  return {...clientsFor(emulator.url), world: emulator.world, url: emulator.url, calls: emulator.calls, clock};
}

/** The image reference of this account's registry. */
export const image = (repository: string, tag: string): string =>
  `000000000000.dkr.ecr.us-east-1.amazonaws.com/${repository}:${tag}`;
