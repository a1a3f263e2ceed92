/** Whether a service has come to run a revision, and why not. One look; whoever waits looks again. */
import {z} from 'zod';
import type {Check, Claim} from '../../release/model.ts';
import type {EcsDeployment, EcsService, EcsTask} from '../../tools/aws/ecs.ts';
import type {Io} from '../io.ts';
import {failed, passed, pending} from '../verdict.ts';
import {containerImage, shortArn} from './task-definition.ts';

const subject = z.object({
  is: z.literal('rollout'),
  cluster: z.string(),
  service: z.string(),
  from: z.string(),
  taskDefinition: z.string(),
  images: z.array(containerImage),
});
type Rollout = z.infer<typeof subject>;

/** The look at a rollout claim; undefined for any other claim. */
export function checkRollout(claim: Claim, io: Io): Promise<Check> | undefined {
  const {data} = subject.safeParse(claim.subject);
  return data && lookAt(claim, data, io);
}

async function lookAt(claim: Claim, rollout: Rollout, io: Io): Promise<Check> {
  const service = await io.aws.ecs.service(rollout.cluster, rollout.service);
  if (service === undefined) return failed(claim, `there is no service ${rollout.service} any more`);
  const mine = service.deployments?.find(({taskDefinition}) => taskDefinition === rollout.taskDefinition);
  const primary = service.deployments?.find(({status}) => status === 'PRIMARY');
  if (primary === undefined || primary.taskDefinition !== rollout.taskDefinition) return notMine(claim, rollout, service, io);

  const deployment = mine ?? primary;
  const {runningCount: running = 0, desiredCount: desired = 0, rolloutState} = deployment;
  io.progress({text: `${running} of ${desired} running`, done: running, total: desired, unit: 'tasks'});
  if (rolloutState === 'FAILED')
    return failed(
      claim,
      `the rollout failed: ${deployment.rolloutStateReason ?? 'no reason given'}`,
      await why(rollout, service, deployment, io),
    );
  if (rolloutState === 'COMPLETED' && running >= desired && desired > 0 && service.deployments?.length === 1) {
    return running === 0 ? failed(claim, 'no task is running') : checkDigests(claim, rollout, deployment, io);
  }
  const stopped = await stoppedTasks(rollout, deployment, io);
  const hopeless = stopped.find(task => hopelessReasons.some(pattern => pattern.test(reasonOf(task))));
  if (hopeless) {
    return failed(claim, reasonOf(hopeless), {
      ...(await why(rollout, service, deployment, io)),
      next: `It will not get better by itself. The service still tries; to go back: aws ecs update-service --cluster ${rollout.cluster} --service ${rollout.service} --task-definition ${shortArn(rollout.from)}`,
    });
  }
  const trouble = stopped.length === 0 ? '' : `, ${stopped.length} stopped: ${reasonOf(stopped[0])}`;
  return pending(claim, `${running} of ${desired} running${trouble}`);
}

/** Reasons that no amount of waiting mends. */
const hopelessReasons = [
  /CannotPull(?:Image|Container)/,
  /exec format error/i,
  /ResourceInitializationError.*(?:secret|parameter)/i,
];

/** The service is on its way to another revision than ours: somebody or something took it there. */
async function notMine(claim: Claim, rollout: Rollout, service: EcsService, io: Io): Promise<Check> {
  const now = service.taskDefinition ?? '';
  const mine = service.deployments?.find(({taskDefinition}) => taskDefinition === rollout.taskDefinition);
  if (now === rollout.from) {
    const more = mine ? await why(rollout, service, mine, io) : {evidence: events(service)};
    return failed(claim, `ECS took it back to ${shortArn(now)}`, {...more, cause: 'rolled back'});
  }
  return failed(claim, `another deployment took over: it runs ${shortArn(now)}`, {
    cause: 'superseded',
    evidence: events(service),
  });
}

/** Proof, not stability: every running task of the deployment runs the image that was meant. */
async function checkDigests(claim: Claim, rollout: Rollout, deployment: EcsDeployment, io: Io): Promise<Check> {
  const running = (await io.aws.ecs.tasks(rollout.cluster, rollout.service, 'RUNNING')).filter(
    ({startedBy}) => startedBy === deployment.id,
  );
  if (running.length === 0) return pending(claim, 'steady, but no running task is listed yet');
  const wanted = new Map(rollout.images.map(({container, digest}) => [container, digest]));
  const other = running.flatMap(({containers = []}) =>
    containers.filter(
      ({name = '', imageDigest}) => wanted.has(name) && imageDigest !== undefined && imageDigest !== wanted.get(name),
    ),
  );
  if (other.length > 0) {
    const {name, imageDigest} = other[0] ?? {};
    return failed(claim, `container ${name} runs ${imageDigest}, not ${wanted.get(name ?? '')}`);
  }
  const proof = wanted.size === 0 ? '' : ', with the released digest';
  return passed(claim, `${running.length} of ${deployment.desiredCount} tasks${proof}`);
}

async function stoppedTasks(rollout: Rollout, deployment: EcsDeployment, io: Io): Promise<readonly EcsTask[]> {
  const stopped = await io.aws.ecs.tasks(rollout.cluster, rollout.service, 'STOPPED');
  // Stopped by the scheduler itself means scaled in, not failed.
  return stopped.filter(({startedBy, stopCode}) => startedBy === deployment.id && stopCode !== 'ServiceSchedulerInitiated');
}

/** What is known of a rollout that does not work, while it is still visible (stopped tasks: an hour). */
async function why(rollout: Rollout, service: EcsService, deployment: EcsDeployment, io: Io): Promise<{evidence: string[]}> {
  const stopped = await stoppedTasks(rollout, deployment, io);
  const counts = Map.groupBy(stopped, reasonOf);
  return {evidence: [...[...counts].map(([reason, tasks]) => `${tasks.length} × ${reason}`), ...events(service)]};
}

function reasonOf(task: EcsTask | undefined): string {
  const container = task?.containers?.find(
    ({reason, exitCode}) => reason !== undefined || (exitCode !== undefined && exitCode !== 0),
  );
  const exit = container?.exitCode === undefined ? '' : ` (container ${container.name} exited with ${container.exitCode})`;
  return `${container?.reason ?? task?.stoppedReason ?? task?.stopCode ?? 'stopped without a reason'}${exit}`;
}

/** The newest service events, newest first. */
function events(service: EcsService): string[] {
  return (service.events ?? []).slice(0, 3).flatMap(({message}) => message ?? []);
}
