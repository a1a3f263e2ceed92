import {type Account, arnIn} from '../account.ts';
import {isHealthy, isWanted} from '../ecs/lifecycle.ts';
import type {Task} from '../ecs/model.ts';
import {type PlacedTask, placedTasks} from '../ecs/placed.ts';
import {AwsError} from '../errors.ts';
import {hexId, privateIp} from '../naming.ts';

export interface TargetGroup {
  readonly name: string;
  readonly arn: string;
  readonly port: number;
}

/** Creates a target group, or finds the one that has this name already. */
export function createTargetGroup(account: Account, name: string, port: number): TargetGroup {
  const arn = arnIn(account, 'elasticloadbalancing', `targetgroup/${name}/${hexId(account.id, name).slice(0, 16)}`);
  const group = account.targetGroups.get(arn) ?? {name, arn, port};
  account.targetGroups.set(arn, group);
  return group;
}

export function targetGroupAt({targetGroups}: Account, arn: string): TargetGroup {
  const group = targetGroups.get(arn);
  if (group === undefined) throw new AwsError('TargetGroupNotFound', 'One or more target groups not found');
  return group;
}

interface Health {
  readonly State: 'initial' | 'healthy' | 'unhealthy' | 'draining';
  readonly Reason?: string;
  readonly Description?: string;
}

/** Why a target is not healthy, in the words of the load balancer. */
const HEALTH = {
  initial: {State: 'initial', Reason: 'Elb.RegistrationInProgress', Description: 'Target registration is in progress'},
  healthy: {State: 'healthy'},
  unhealthy: {
    State: 'unhealthy',
    Reason: 'Target.ResponseCodeMismatch',
    Description: 'Health checks failed with these codes: [503]',
  },
  draining: {State: 'draining', Reason: 'Target.DeregistrationInProgress', Description: 'Target deregistration is in progress'},
} as const satisfies Record<Health['State'], Health>;

function healthOf(task: Task, at: number): Health {
  if (!isWanted(task, at)) return HEALTH.draining;
  if (task.unhealthy) return HEALTH.unhealthy;
  return isHealthy(task, at) ? HEALTH.healthy : HEALTH.initial;
}

/** The tasks of services behind this group that run or have just been told to stop, and how they are. */
export function targetsOf(account: Account, {arn}: TargetGroup): readonly {readonly address: string; readonly health: Health}[] {
  const at = account.clock.now();
  const registered = ({task, targetGroup}: PlacedTask): boolean =>
    targetGroup === arn && task.runningAt <= at && at < task.stoppedAt;
  return placedTasks(account)
    .filter(registered)
    .map(({task}) => ({address: privateIp(task.id), health: healthOf(task, at)}));
}
