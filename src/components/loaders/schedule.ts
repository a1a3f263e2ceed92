/**
 * Schedules of EventBridge Scheduler. ECS has a target of its own; a Batch job (or a task) can also be started by a universal
 * target, whose `Input` is the call's request as JSON text, with the revision inside (facts/aws.md, Schedules).
 */
import type {Schedule, ScheduleName, ScheduleTarget} from '../../tools/aws/scheduler.ts';
import {waiting} from '../aws/waiting.ts';
import {type JsonString, jsonStrings, replaceStrings} from './json-strings.ts';
import {type Launch, launchOf, overridesIn} from './launch.ts';
import {type Wanted, isOf} from './reference.ts';
import type {Entry, Io, Reading} from './target.ts';
import {type Timing, nextRun, ratePeriod} from './timing.ts';

/** The schedule now; undefined when there is none. */
export async function readSchedule(name: ScheduleName, wanted: Wanted, io: Io): Promise<Reading | undefined> {
  const schedule = await io.aws.scheduler.schedule(name);
  if (schedule === undefined) return undefined;
  return {
    entries: scheduleEntries(schedule, wanted),
    timing: timingOf(schedule),
    write: references => {
      const reference = references.get('');
      const Target = reference === undefined ? schedule.Target : pointAt(schedule.Target, wanted, reference);
      const changed = {...schedule, Target, StartDate: startToSend(schedule, new Date(io.clock.now()))};
      return io.aws.scheduler.update(changed, waiting(io));
    },
  };
}

/** A schedule has one target. */
export function scheduleEntries({Target}: Schedule, wanted: Wanted): readonly Entry[] {
  const starts = referenceIn(Target, wanted);
  return isOf(wanted, starts) ? [{id: '', starts, launch: () => launchOfTarget(Target, wanted)}] : [];
}

export function timingOf(schedule: Schedule): Timing {
  const {ScheduleExpression, ScheduleExpressionTimezone, State, StartDate, EndDate, FlexibleTimeWindow} = schedule;
  return {
    expression: ScheduleExpression ?? '',
    zone: ScheduleExpressionTimezone ?? 'UTC',
    enabled: State !== 'DISABLED',
    start: StartDate,
    end: EndDate,
    window: FlexibleTimeWindow?.MaximumWindowInMinutes,
  };
}

/** The universal target that starts each service's work, and the member of its `Input` that names the definition. */
const universal = {
  ecs: {arn: /^arn:[^:]+:scheduler:::aws-sdk:ecs:runTask$/, member: 'TaskDefinition'},
  batch: {arn: /^arn:[^:]+:scheduler:::aws-sdk:batch:submitJob$/, member: 'JobDefinition'},
} as const;

/** Whether a schedule can start anything of this service at all, by the ARN of its target: others need not be read. */
export function mayStart(arn: string): boolean {
  return Object.values(universal).some(call => call.arn.test(arn)) || /^arn:[^:]+:ecs:[^:]*:[^:]*:cluster\//.test(arn);
}

function referenceIn(target: ScheduleTarget | undefined, {service}: Wanted): string | undefined {
  const inInput = definitionIn(target, service);
  return inInput ? inInput.value : service === 'ecs' ? target?.EcsParameters?.TaskDefinitionArn : undefined;
}

/** Where the `Input` of a universal target names its definition; undefined where it does not, or is no such target. */
function definitionIn(target: ScheduleTarget | undefined, service: Wanted['service']): JsonString | undefined {
  const {arn, member} = universal[service];
  if (target?.Input === undefined || !arn.test(target.Arn ?? '')) return undefined;
  try {
    return jsonStrings('Input', target.Input).find(({path}) => path.length === 1 && path[0] === member);
  } catch {
    // What is no JSON names nothing.
    return undefined;
  }
}

/** The target with another revision; every other field, and every other byte of its input, as it came. */
function pointAt(target: ScheduleTarget | undefined, {service}: Wanted, reference: string): ScheduleTarget | undefined {
  if (target === undefined) return undefined;
  const at = definitionIn(target, service);
  if (at) return {...target, Input: replaceStrings(target.Input ?? '', [{at, value: reference}])};
  return {...target, EcsParameters: {...target.EcsParameters, TaskDefinitionArn: reference}};
}

/**
 * A start that has passed cannot be sent back: "The StartDate you specify cannot be earlier than 5 minutes ago". A `rate` counts
 * from it, so its next run takes its place; for anything else a start that has passed says nothing any more.
 */
function startToSend(schedule: Schedule, now: Date): Date | undefined {
  const {StartDate, ScheduleExpression = ''} = schedule;
  if (StartDate === undefined || StartDate > now) return StartDate;
  if (ratePeriod(ScheduleExpression) === undefined) return undefined;
  const next = nextRun({...timingOf(schedule), end: undefined}, now);
  return next instanceof Date ? next : undefined;
}

function launchOfTarget(target: ScheduleTarget | undefined, {service}: Wanted): Launch {
  const {Arn = '', Input, EcsParameters} = target ?? {};
  if (universal[service].arn.test(Arn)) return launchOf(service, overridesIn(Input));
  return launchOf(service, EcsParameters, {cluster: Arn, overrides: overridesIn(Input)});
}
