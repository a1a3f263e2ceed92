/** One look at a rollout: what is to be asked now, and what the answers come to. */
import type {EcsDeployment, EcsService, EcsServiceDeployment, EcsTask} from '../../../tools/aws/ecs.ts';
import {shortArn} from '../task-definition.ts';
import {evidenceOf, lookAtHealth, permitted, readLog} from './diagnosis.ts';
import {historyOf, ourDeployment, registeredBy} from './history.ts';
import {type Judgement, goesBackByItself, isOurs, judgeAnother, judgeOurs, primaryOf, standing} from './judging.ts';
import {hopeless, isFailure, lifetime, reasonOf} from './reasons.ts';
import type {Io, Rollout} from './subject.ts';
import {type Track, trackOf} from './track.ts';

/** What the service has come to. Both claims of a rollout ask; of the same sight of the service they get the same judgement. */
export async function judge(rollout: Rollout, service: EcsService, io: Io): Promise<Judgement> {
  const track = trackOf(rollout, io);
  if (track.judged?.of !== service) {
    const primary = primaryOf(service);
    const said = isOurs(rollout, primary)
      ? lookAtOurs(rollout, service, primary, io, track)
      : lookAtAnother(rollout, service, io, track);
    track.judged = {of: service, said};
  }
  try {
    return await track.judged.said;
  } catch (error) {
    track.judged = undefined;
    throw error;
  }
}

async function lookAtAnother(rollout: Rollout, service: EcsService, io: Io, track: Track): Promise<Judgement> {
  const mine = await ourDeployment(rollout, io, track);
  const history = await historyOf(rollout, io, track);
  const {taker, ...judgement} = judgeAnother(rollout, service, mine, history);
  const found = taker === undefined ? judgement.found : `${judgement.found}${await registeredBy(taker, io)}`;
  if (judgement.status === 'pending' && mine === undefined) return {...judgement, found};
  const failures = (await stoppedTasks(rollout, io, track)).filter(
    task => task.taskDefinitionArn === rollout.taskDefinition && isFailure(task),
  );
  await readLog(failures, rollout, io, track);
  return {...judgement, found, evidence: evidenceOf(rollout, service, mine, failures, track)};
}

/** Of so many looks one asks for stopped tasks although nothing hints at any. */
const seldom = 5;

/** A deployment that another one has stopped is for a moment one that somebody has stopped: the next look tells the two apart. */
function seenTwice(judgement: Judgement | undefined, track: Track): Judgement | undefined {
  if (judgement?.status !== 'failed' || judgement.cause !== 'stopped' || track.stopSeen) return judgement;
  track.stopSeen = true;
  return {status: 'pending', found: judgement.found};
}

async function lookAtOurs(rollout: Rollout, service: EcsService, ours: EcsDeployment, io: Io, track: Track): Promise<Judgement> {
  const mine = await ourDeployment(rollout, io, track);
  const {runningCount: running = 0, desiredCount: desired = 0} = ours;
  io.progress({text: standing(ours, mine), done: running, total: desired, unit: 'tasks'});
  const whole = seenTwice(judgeOurs(rollout, service, ours, mine), track);
  if (whole?.status === 'passed') return whole;

  const asked = whole?.status === 'failed' || isHinted(service, ours, track);
  const known = asked ? await stoppedTasks(rollout, io, track) : [...track.stopped.values()];
  const failures = known.filter(task => task.startedBy === ours.id && isFailure(task));
  await readLog(failures, rollout, io, track);
  const judgement = whole ?? (await judgeFailures(rollout, service, ours, mine, failures, io, track));
  // Waiting for health alone leaves no other trace.
  const waits = running >= desired && track.looks % seldom === 0;
  if (judgement.status === 'failed' || waits) await lookAtHealth(rollout, service, ours.id, io, track);
  const evidence = evidenceOf(rollout, service, mine, failures, track);
  const telling = judgement.status === 'failed' || failures.length > 0 || track.health.length > 0;
  const next = judgement.next ?? (judgement.status === 'failed' ? `To go back: ${wayBack(rollout)}` : undefined);
  return {...judgement, ...(telling && {evidence}), ...(next !== undefined && {next})};
}

/** Whether something hints at tasks that have stopped since the look before; now and then anyway. */
function isHinted(
  {events = []}: EcsService,
  {runningCount = 0, pendingCount = 0, failedTasks = 0}: EcsDeployment,
  track: Track,
): boolean {
  const living = runningCount + pendingCount;
  const until = events.findIndex(({id}) => id !== undefined && id === track.event);
  const fresh = until === -1 ? events : events.slice(0, until);
  const hinted =
    living < track.living ||
    failedTasks > track.failures ||
    fresh.some(({message}) => /unable|fail|unhealthy|error/i.test(message ?? '')) ||
    track.looks % seldom === 0;
  track.looks++;
  track.living = living;
  track.failures = failedTasks;
  track.event = events[0]?.id;
  return hinted;
}

/** Of how many stopped tasks is remembered what they said. */
const remembered = 200;

/** The stopped tasks of the service, latest first: visible for an hour. */
async function stoppedTasks({cluster, service}: Rollout, io: Io, track: Track): Promise<readonly EcsTask[]> {
  // What is still stopping may yet say how it ended.
  const ended = new Map([...track.stopped].filter(([, {lastStatus}]) => lastStatus === 'STOPPED'));
  const found = await permitted('ecs:ListTasks', 'stopped tasks', io, track, () =>
    io.aws.ecs.tasks(cluster, service, 'STOPPED', ended),
  );
  if (found === undefined) return [...track.stopped.values()];
  const latest = found.toSorted((a, b) => endOf(b) - endOf(a)).slice(0, remembered);
  track.stopped.clear();
  for (const task of latest) if (task.taskArn !== undefined) track.stopped.set(task.taskArn, task);
  return latest;
}

function endOf({stoppedAt, stoppingAt}: EcsTask): number {
  return (stoppedAt ?? stoppingAt)?.getTime() ?? 0;
}

// ── tasks that end ───────────────────────────────────────────────────────────────────────────────────

/** So many ends in a row are enough, where none lives. */
const enough = 3;

/** What the tasks of ours that have ended mean for the rest. */
async function judgeFailures(
  rollout: Rollout,
  service: EcsService,
  ours: EcsDeployment,
  mine: EcsServiceDeployment | undefined,
  failures: readonly EcsTask[],
  io: Io,
  track: Track,
): Promise<Judgement> {
  const {runningCount: running = 0, desiredCount: desired = 0} = ours;
  const so = standing(ours, mine);
  const latest = failures.find(({lastStatus}) => lastStatus === 'STOPPED') ?? failures[0];
  if (latest === undefined) return {status: 'pending', found: so};
  const lost = failures
    .map(task => ({task, hopeless: hopeless(task, wordsOf(task, track))}))
    .find(({hopeless}) => hopeless !== undefined);
  if (lost?.hopeless) {
    const {why, next} = lost.hopeless;
    return {
      status: 'failed',
      waitable: true,
      found: `${why}: ${reasonOf(lost.task)}`,
      next: `It will not get better by itself. ${next} ${untilThen(rollout, service)}`,
    };
  }
  // The circuit breaker is as quick, and ends it for good; it is waited for, unless it never comes to it.
  const threshold = mine?.deploymentCircuitBreaker?.threshold ?? Math.max(enough, Math.ceil(desired / 2));
  const limit = goesBackByItself(service) ? threshold + enough : enough;
  if (failures.length >= limit && !(await somebodyLives(rollout, ours, failures, io, track))) {
    return {
      status: 'failed',
      waitable: true,
      found: `${failures.length} tasks have ended, and none got healthy: ${reasonOf(latest)}`,
      next: `Look at the evidence. ${untilThen(rollout, service)}`,
    };
  }
  return {
    status: 'pending',
    found: `${so}, ${failures.length} stopped: ${reasonOf(latest)}`,
    // None lives, or more have died than are to live: if that is still so when time is up, it has failed.
    ...((running === 0 || failures.length > desired) && {cause: 'failed'}),
  };
}

/** What a task wrote, where that was read. */
function wordsOf({taskArn}: EcsTask, {log}: Track): readonly string[] {
  return log !== undefined && log.of === taskArn ? log.lines : [];
}

/** Whether a task of ours is healthy, or has outlived all that have ended. */
async function somebodyLives(
  {cluster, service}: Rollout,
  ours: EcsDeployment,
  failures: readonly EcsTask[],
  io: Io,
  track: Track,
): Promise<boolean> {
  const running = await permitted('ecs:ListTasks', 'running tasks', io, track, () =>
    io.aws.ecs.tasks(cluster, service, 'RUNNING'),
  );
  const longest = Math.max(...failures.map(lifetime));
  // AWS's clock, as late as it is known here.
  const now = Math.max(...failures.map(endOf));
  return (running ?? []).some(
    ({startedBy, lastStatus, healthStatus, startedAt}) =>
      startedBy === ours.id &&
      lastStatus === 'RUNNING' &&
      healthStatus !== 'UNHEALTHY' &&
      (healthStatus === 'HEALTHY' || (startedAt !== undefined && now - startedAt.getTime() > longest)),
  );
}

/** What the service does as long as nobody does anything. */
function untilThen(rollout: Rollout, service: EcsService): string {
  return goesBackByItself(service)
    ? 'The service still tries, until its circuit breaker takes it back.'
    : `The service still tries. To go back: ${wayBack(rollout)}`;
}

function wayBack({cluster, service, from}: Rollout): string {
  return `aws ecs update-service --cluster ${cluster} --service ${service} --task-definition ${shortArn(from)}`;
}
