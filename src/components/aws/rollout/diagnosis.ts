/** Evidence: what is to be seen of a rollout that does not get on, captured while it is still there. At most a screenful. */
import * as z from 'zod';
import {DeployError} from '../../../release/errors.ts';
import type {EcsService, EcsServiceDeployment, EcsTask} from '../../../tools/aws/ecs.ts';
import {withheld} from '../../../tools/aws/errors.ts';
import {shortArn} from '../task-definition.ts';
import {blamed, grouped} from './reasons.ts';
import type {Io, Rollout} from './subject.ts';
import type {Track} from './track.ts';

const most = {reasons: 5, events: 5, lines: 10, length: 400} as const;

/** What is known without asking anybody else. */
export function evidenceOf(
  {since}: Rollout,
  {events = []}: EcsService,
  mine: EcsServiceDeployment | undefined,
  failures: readonly EcsTask[],
  track: Track,
): string[] {
  const {deploymentCircuitBreaker: breaker, alarms} = mine ?? {};
  const watched = breaker?.status !== undefined && breaker.status !== 'DISABLED';
  return [
    ...grouped(failures).slice(0, most.reasons),
    ...track.withheld,
    ...track.health,
    ...(watched
      ? [`circuit breaker: ${breaker.failureCount ?? 0} failed tasks, it trips at ${breaker.threshold ?? 'an unknown number'}`]
      : []),
    ...(alarms?.triggeredAlarmNames ?? []).map(name => `alarm ${name} has gone off`),
    ...events
      .filter(({createdAt}) => since === null || createdAt === undefined || createdAt.getTime() >= since - 1000)
      .slice(0, most.events)
      .flatMap(({message}) => message ?? []),
    ...(track.log?.lines ?? []),
  ].map(line => (line.length > most.length ? `${line.slice(0, most.length)}…` : line));
}

/** Looks at how healthy the containers and the targets are, and keeps it for the evidence. */
export async function lookAtHealth(
  {cluster, service: name}: Rollout,
  service: EcsService,
  id: string | undefined,
  io: Io,
  track: Track,
): Promise<void> {
  const running = await permitted('ecs:ListTasks', 'running tasks', io, track, () => io.aws.ecs.tasks(cluster, name, 'RUNNING'));
  const states = (running ?? [])
    .filter(({startedBy}) => startedBy === id)
    .flatMap(({containers = []}) => containers.map(({name, healthStatus}) => `container ${name} ${healthStatus ?? 'UNKNOWN'}`))
    .filter(state => !state.endsWith(' UNKNOWN'));
  const groups = (service.loadBalancers ?? []).flatMap(({targetGroupArn}) => targetGroupArn ?? []);
  const targets = await Promise.all(groups.map(arn => targetsOf(arn, io, track)));
  const seen = [...counted(states), ...targets.flat()];
  // What was wrong with tasks is not to be seen any more once they were stopped for it.
  if (!isTroubled(track.health) || isTroubled(seen)) track.health = seen;
}

function isTroubled(lines: readonly string[]): boolean {
  return lines.some(line => /unhealthy|unused|no targets/i.test(line));
}

async function targetsOf(arn: string, io: Io, track: Track): Promise<readonly string[]> {
  // arn:…:targetgroup/<name>/<id>
  const group = arn.split('/').at(-2) ?? arn;
  const found = await permitted('elasticloadbalancing:DescribeTargetHealth', 'target health', io, track, () =>
    io.aws.elb.targetHealth(arn),
  );
  if (found === undefined) return [];
  if (found.length === 0) return [`target group ${group}: no targets`];
  const states = found.map(({state, reason, description}) => {
    const why = [reason, description].filter(Boolean).join(': ');
    return `${state}${why === '' ? '' : ` (${why})`}`;
  });
  return [`target group ${group}: ${counted(states).join(', ')}`];
}

function counted(states: readonly string[]): readonly string[] {
  return [...Map.groupBy(states, state => state)].map(([state, same]) => `${same.length} × ${state}`);
}

/** How often a log is looked for that is not there yet: what a container wrote last arrives a moment after it has ended. */
const tries = 4;

/** Reads the last words of the container of a task that ended first, and keeps them for the evidence. Of one task: the others say the same. */
export async function readLog(failures: readonly EcsTask[], {taskDefinition}: Rollout, io: Io, track: Track): Promise<void> {
  // Whoever is still stopping may have more to say.
  const task = failures.find(({lastStatus, startedAt}) => lastStatus === 'STOPPED' && startedAt !== undefined);
  const container = task && (blamed(task) ?? task.containers?.[0]);
  if (task?.taskArn === undefined || container?.name === undefined) return;
  const {taskArn} = task;
  if (track.log !== undefined || track.tries >= tries) return;
  const log = await logOf(taskDefinition, container.name, shortArn(taskArn), io);
  if (log === undefined) return;
  if ('unread' in log) {
    track.log = {of: taskArn, lines: [log.unread]};
    return;
  }
  track.tries++;
  const lines = await permitted('logs:GetLogEvents', `the log ${log.group}`, io, track, () => io.aws.logs.tail(log, most.lines));
  if (lines === undefined || lines.length === 0) return;
  const title = `the last lines of container ${container.name} of task ${shortArn(taskArn)} (${log.group}):`;
  track.log = {of: taskArn, lines: [title, ...lines.slice(-most.lines).map(line => `  ${line.trimEnd()}`)]};
}

export type Log =
  | {readonly region: string | undefined; readonly group: string; readonly stream: string}
  /** Why it cannot be read here. */
  | {readonly unread: string};

/** Where the awslogs driver puts what a container writes. */
export async function logOf(taskDefinition: string, container: string, task: string, io: Io): Promise<Log | undefined> {
  const definition = await io.aws.ecs.taskDefinition(taskDefinition);
  const settings = logSettings(definition?.input['containerDefinitions'], container);
  if (settings === undefined) return undefined;
  const {driver, options} = settings;
  if (driver !== 'awslogs') return {unread: `the log of container ${container} goes to ${driver}, and was not read`};
  const {'awslogs-group': group, 'awslogs-stream-prefix': prefix, 'awslogs-region': region} = options;
  if (group === undefined || prefix === undefined) {
    return {unread: `the log of container ${container} has no awslogs-stream-prefix: its stream cannot be told`};
  }
  return {region, group, stream: `${prefix}/${container}/${task}`};
}

const logged = z.array(
  z.looseObject({
    name: z.string(),
    logConfiguration: z.looseObject({logDriver: z.string(), options: z.record(z.string(), z.string()).default({})}).optional(),
  }),
);

function logSettings(containers: unknown, name: string) {
  const settings = logged.safeParse(containers).data?.find(container => container.name === name)?.logConfiguration;
  return settings && {driver: settings.logDriver, options: settings.options};
}

/**
 * A look that only says why. What the caller may not look at is said in the evidence; what fails otherwise is tried again
 * with the next look: a diagnosis must not hold up what it is of.
 */
export async function permitted<T>(
  action: string,
  what: string,
  io: Io,
  track: Track,
  look: () => Promise<T>,
): Promise<T | undefined> {
  const line = `no permission to read ${what} (${action})`;
  if (track.withheld.has(line)) return undefined;
  try {
    return await look();
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    if (withheld(error) === 'denied') track.withheld.add(line);
    else io.log(`${what} could not be read: ${error.message}`);
    return undefined;
  }
}
