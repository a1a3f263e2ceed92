import {createAccount} from './account.ts';
import {createClock} from './clock.ts';
import {createFaults} from './faults.ts';
import {behave, type Scenario} from './scenarios.ts';
import {type RecordedCall, serve} from './server.ts';
import {createWorld, type World} from './world.ts';

export {type ScenarioName, scenarioNames} from './scenarios.ts';
export type {SeededService, World} from './world.ts';

export interface EmulatorOptions {
  /** By default any free port. */
  readonly port?: number;
  /** How much faster than AWS time runs: 1 (the default) is realistic seconds, 10 a tenth of them. Timestamps stay true. */
  readonly speed?: number;
  /** Twelve digits. */
  readonly accountId?: string;
  readonly region?: string;
  /** How deployments and calls go, where nothing else is said. */
  readonly scenario?: Scenario;
  /** Milliseconds since the epoch; for tests that move time by hand. */
  readonly now?: () => number;
}

export interface Emulator {
  /** What `AWS_ENDPOINT_URL` or a client's `endpoint` is set to: all services answer here. */
  readonly url: string;
  readonly accountId: string;
  readonly region: string;
  readonly world: World;
  /** The latest calls, oldest first. */
  readonly calls: readonly RecordedCall[];
  close(): Promise<void>;
}

/**
 * Starts an AWS account on loopback that speaks to unmodified SDKs and to the `aws` CLI: ECS, Batch,
 * EventBridge and its Scheduler, Step Functions, SNS, ECR, CloudWatch Logs, load balancers, IAM and STS, as far as a release
 * needs them. Nothing is stored and any access key will do.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const {port = 0, speed = 1, accountId = '000000000000', region = 'us-east-1', scenario = 'healthy', now = Date.now} = options;
  const behaviour = behave(scenario);
  const clock = createClock({now, speed, skewSeconds: behaviour.clockSkewSeconds});
  const account = createAccount({id: accountId, region, clock, behaviour});
  const faults = createFaults(behaviour.noise);
  const {url, calls, close} = await serve(account, faults, port);
  account.registryHost = url;
  return {url, accountId, region, world: createWorld(account, faults), calls, close};
}
