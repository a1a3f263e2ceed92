/** Whether a service has come to run a revision, and why not. One look; whoever waits looks again. */
import {z} from 'zod';
import {DeployError} from '../../release/errors.ts';
import type {Check, Claim} from '../../release/model.ts';
import type {Ecr} from '../../tools/aws/ecr.ts';
import type {Ecs, EcsDeployment, EcsService, EcsServiceDeployment, EcsTask} from '../../tools/aws/ecs.ts';
import {ecrRepository} from '../images.ts';
import type {Io as WholeIo} from '../io.ts';
import {failed, passed, pending} from '../verdict.ts';
import {type ContainerImage, containerImage, shortArn} from './task-definition.ts';

const subject = z.object({
  is: z.literal('rollout'),
  cluster: z.string(),
  service: z.string(),
  from: z.string(),
  taskDefinition: z.string(),
  images: z.array(containerImage),
});
type Rollout = z.infer<typeof subject>;

/** What of the world a look at a rollout needs. */
export interface Io extends Pick<WholeIo, 'log' | 'progress'> {
  readonly aws: {
    readonly ecs: Pick<Ecs, 'service' | 'tasks' | 'deployments'>;
    readonly ecr: Pick<Ecr, 'platforms'>;
  };
}

/** The look at a rollout claim; undefined for any other claim. */
export function checkRollout(claim: Claim, io: Io): Promise<Check> | undefined {
  const {data} = subject.safeParse(claim.subject);
  return data && lookAt(claim, data, io);
}

async function lookAt(claim: Claim, rollout: Rollout, io: Io): Promise<Check> {
  const service = await io.aws.ecs.service(rollout.cluster, rollout.service);
  if (service === undefined) return failed(claim, `there is no service ${rollout.service} any more`);
  // PRIMARY means the newest, not that it is done.
  const primary = service.deployments?.find(({status}) => status === 'PRIMARY');
  return primary?.taskDefinition === rollout.taskDefinition
    ? lookAtOurs(claim, rollout, service, primary, io)
    : lookAtAnother(claim, rollout, service, primary, io);
}

// ── the newest deployment is ours ────────────────────────────────────────────────────────────────────

async function lookAtOurs(claim: Claim, rollout: Rollout, service: EcsService, ours: EcsDeployment, io: Io): Promise<Check> {
  const {runningCount: running = 0, desiredCount: desired = 0, rolloutState} = ours;
  io.progress({text: `${running} of ${desired} running`, done: running, total: desired, unit: 'tasks'});
  // Behind a Classic load balancer there is no rollout state: that the old deployment is gone has to do.
  if ((rolloutState ?? 'COMPLETED') === 'COMPLETED' && service.deployments?.length === 1) {
    if (desired === 0) return failed(claim, 'it is scaled to zero: nothing of it runs', {next: 'Set its desired count.'});
    if (running >= desired) return checkDigests(claim, rollout, ours, io);
  }

  const failures = (await failedTasks(rollout, io)).filter(({startedBy}) => startedBy === ours.id);
  const evidence = evidenceOf(failures, service);
  if (rolloutState === 'FAILED') {
    const found = `the rollout failed: ${ours.rolloutStateReason ?? 'no reason given'}`;
    // Until the way back begins, the failed deployment is still the newest.
    return goesBackByItself(service)
      ? pending(claim, found, {evidence, cause: 'failed'})
      : failed(claim, found, {evidence, next: wayBack(rollout, service)});
  }
  const hopeless = failures.find(task => hopelessReasons.some(pattern => pattern.test(wordsOf(task))));
  if (hopeless) {
    return failed(claim, reasonOf(hopeless), {
      evidence,
      next: `It will not get better by itself. ${wayBack(rollout, service)}`,
    });
  }
  const [latest] = failures;
  if (latest === undefined) return pending(claim, `${running} of ${desired} running`);
  return pending(claim, `${running} of ${desired} running, ${failures.length} stopped: ${reasonOf(latest)}`, {
    evidence,
    // None lives, or more have died than are to live: if that is still so when time is up, it has failed.
    ...((running === 0 || failures.length > desired) && {cause: 'failed'}),
  });
}

/** Reasons that no amount of waiting mends: what is missing, forbidden or made for another machine. Networks do mend. */
const hopelessReasons = [
  /CannotPull\w*Error.*(?:not found|manifest unknown|does not exist|no matching manifest|matching platform|denied|unauthorized|forbidden|not authorized)/is,
  /ResourceInitializationError.*(?:secret|parameter).*(?:AccessDenied|not authorized|NotFound|can't find|json key|invalid)/is,
  /exec format error|exec user process caused|executable file not found/i,
];

/** Whether ECS takes a failed deployment back, as the service is set up. */
function goesBackByItself({deploymentConfiguration}: EcsService): boolean {
  const {deploymentCircuitBreaker: breaker, alarms} = deploymentConfiguration ?? {};
  return Boolean((breaker?.enable && breaker.rollback) || (alarms?.enable && alarms.rollback));
}

function wayBack({cluster, service: name, from}: Rollout, service: EcsService): string {
  return goesBackByItself(service)
    ? 'The service still tries, until its circuit breaker takes it back.'
    : `The service still tries. To go back: aws ecs update-service --cluster ${cluster} --service ${name} --task-definition ${shortArn(from)}`;
}

/** Proof, not stability: every task of the deployment runs the image that was meant. */
async function checkDigests(claim: Claim, rollout: Rollout, ours: EcsDeployment, io: Io): Promise<Check> {
  const {desiredCount: desired = 0} = ours;
  const running = (await io.aws.ecs.tasks(rollout.cluster, rollout.service, 'RUNNING')).filter(
    ({startedBy, lastStatus}) => startedBy === ours.id && lastStatus === 'RUNNING',
  );
  if (running.length < desired)
    return pending(claim, `steady, but only ${running.length} of ${desired} tasks are listed as running`);

  const digests = Map.groupBy(
    running.flatMap(({containers = []}) => containers),
    ({name = ''}) => name,
  );
  let proof = rollout.images.length === 0 ? '' : ', with the released digest';
  for (const image of rollout.images) {
    const found = new Set((digests.get(image.container) ?? []).map(({imageDigest}) => imageDigest));
    if (found.size === 0) proof = ', whose digest ECS does not tell';
    for (const digest of found) {
      if (digest === undefined) proof = ', whose digest ECS does not tell';
      else if (!(await isImage(image, digest, io)))
        return failed(claim, `container ${image.container} runs ${digest}, not ${image.digest}`);
    }
  }
  return passed(claim, `${running.length} of ${desired} tasks${proof}`);
}

/** Of an image for several platforms, a task may name the index or its own platform's manifest (facts/aws.md, Images). */
async function isImage({image, digest}: ContainerImage, found: string, io: Io): Promise<boolean> {
  if (found === digest) return true;
  const repository = ecrRepository(image);
  return repository !== undefined && (await io.aws.ecr.platforms(repository, digest)).includes(found);
}

// ── the newest deployment is another ─────────────────────────────────────────────────────────────────

/** What became of our deployment, now that the newest is of another revision. */
interface Fate {
  readonly is: 'not begun' | 'going back' | 'back' | 'stuck' | 'overtaken';
  readonly reason?: string | undefined;
}

async function lookAtAnother(
  claim: Claim,
  rollout: Rollout,
  service: EcsService,
  primary: EcsDeployment | undefined,
  io: Io,
): Promise<Check> {
  const now = shortArn(primary?.taskDefinition ?? service.taskDefinition ?? '');
  const history = await historyOf(rollout, io);
  const {is, reason} = history === undefined ? fateBySigns(rollout, service, primary) : fateIn(history, rollout, service);
  const because = reason === undefined ? '' : `: ${reason}`;
  const evidence = is === 'not begun' ? [] : evidenceOf(await failedTasks(rollout, io), service);
  switch (is) {
    case 'not begun':
      return pending(claim, `it runs ${now}; the deployment of ${shortArn(rollout.taskDefinition)} is not to be seen`);
    case 'going back':
      return pending(claim, `ECS is taking it back to ${now}${because}`, {evidence});
    case 'back':
      return failed(claim, `ECS took it back to ${now}${because}`, {evidence, cause: 'rolled back'});
    case 'stuck':
      return failed(claim, `it failed, and so did the way back${because}`, {evidence});
    case 'overtaken':
      return failed(claim, `another deployment took over: it runs ${now}`, {evidence, cause: 'superseded'});
  }
}

/** A service forgets deployments that are over; this does not. Undefined where it may not be looked at. */
async function historyOf({cluster, service}: Rollout, io: Io): Promise<readonly EcsServiceDeployment[] | undefined> {
  try {
    return await io.aws.ecs.deployments(cluster, service);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    io.log(`${service}: its deployments could not be looked at (${error.message}); judging by what the service says`);
    return undefined;
  }
}

const fates: Readonly<Record<string, Fate['is']>> = {
  ROLLBACK_REQUESTED: 'going back',
  ROLLBACK_IN_PROGRESS: 'going back',
  ROLLBACK_SUCCESSFUL: 'back',
  ROLLBACK_FAILED: 'stuck',
  // Ours is over, and another is the newest: it follows in the history in a moment.
  STOPPED: 'overtaken',
  SUCCESSFUL: 'overtaken',
};

function fateIn(history: readonly EcsServiceDeployment[], rollout: Rollout, {taskDefinition: now}: EcsService): Fate {
  const ours = history.find(({taskDefinition}) => taskDefinition === rollout.taskDefinition);
  // What a service says lags behind what it was told.
  if (ours === undefined) return {is: now === rollout.from || now === rollout.taskDefinition ? 'not begun' : 'overtaken'};
  if (ours !== history[0]) return {is: 'overtaken'};
  return {is: fates[ours.status] ?? 'not begun', reason: ours.reason};
}

/** The same, from what the service itself shows for a while. */
function fateBySigns(rollout: Rollout, service: EcsService, primary: EcsDeployment | undefined): Fate {
  const ours = service.deployments?.find(({taskDefinition}) => taskDefinition === rollout.taskDefinition);
  const isGoingBack =
    ours?.rolloutState === 'FAILED' ||
    /rolling back/i.test(primary?.rolloutStateReason ?? '') ||
    (service.events ?? []).some(({message}) => primary?.id && message?.includes(`rolling back to deployment ${primary.id}`));
  if (isGoingBack) return {is: primary?.rolloutState === 'COMPLETED' ? 'back' : 'going back'};
  const now = service.taskDefinition;
  return {is: now === rollout.from || now === rollout.taskDefinition ? 'not begun' : 'overtaken'};
}

// ── why ──────────────────────────────────────────────────────────────────────────────────────────────

/** Stopped by somebody or something that has nothing to do with the release. */
const noFailures: ReadonlySet<string | undefined> = new Set([
  'UserInitiated',
  'SpotInterruption',
  'TerminationNotice',
  'InfrastructureHealth',
]);

/** The tasks of our revision that ended by themselves, as long as they are visible (an hour). ECS' own count forgets. */
async function failedTasks({cluster, service, taskDefinition}: Rollout, io: Io): Promise<readonly EcsTask[]> {
  const stopped = await io.aws.ecs.tasks(cluster, service, 'STOPPED');
  return stopped.filter(task => task.taskDefinitionArn === taskDefinition && isFailure(task));
}

/** The scheduler stops what is to be scaled in, and what does not get healthy. */
function isFailure({stopCode, stoppedReason}: EcsTask): boolean {
  return stopCode === 'ServiceSchedulerInitiated'
    ? /failed .*health check/i.test(stoppedReason ?? '')
    : !noFailures.has(stopCode);
}

/** How many tasks ended for which reason, and the newest service events, newest first. */
function evidenceOf(failures: readonly EcsTask[], {events = []}: EcsService): string[] {
  const counts = Map.groupBy(failures, reasonOf);
  return [
    ...[...counts].map(([reason, tasks]) => `${tasks.length} × ${reason}`),
    ...events.slice(0, 3).flatMap(({message}) => message ?? []),
  ];
}

/** Exit codes of containers that were told to end because another one had. */
const followed: ReadonlySet<number | undefined> = new Set([undefined, 0, 137, 143]);

function reasonOf({containers = [], stoppedReason, stopCode}: EcsTask): string {
  const blamed =
    containers.find(({reason}) => reason !== undefined) ??
    containers.find(({exitCode}) => !followed.has(exitCode)) ??
    containers.find(({exitCode}) => exitCode !== undefined && exitCode !== 0);
  const exit = blamed?.exitCode === undefined ? '' : ` (container ${blamed.name} exited with ${blamed.exitCode})`;
  return `${blamed?.reason ?? stoppedReason ?? stopCode ?? 'stopped without a reason'}${exit}`;
}

function wordsOf({containers = [], stoppedReason}: EcsTask): string {
  return [stoppedReason, ...containers.map(({reason}) => reason)].join('\n');
}
