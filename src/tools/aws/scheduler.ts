/**
 * EventBridge Scheduler. A schedule is carried whole: UpdateSchedule overwrites everything, and what is left out falls to its
 * default (facts/aws.md, Schedules).
 */
import type {GetScheduleCommandOutput, Target} from '@aws-sdk/client-scheduler';
import {clients} from './clients.ts';
import {errorName} from './errors.ts';
import {paged} from './paged.ts';
import {type Session, ifThere, lazy} from './session.ts';
import {together} from './together.ts';

export type ScheduleTarget = Target;

/** All that can be sent back of a schedule. */
export type Schedule = Omit<GetScheduleCommandOutput, '$metadata' | 'Arn' | 'CreationDate' | 'LastModificationDate'>;

export interface ScheduleName {
  /** `default` where nobody says otherwise. */
  readonly group: string;
  readonly name: string;
}

export interface Scheduler {
  /** Undefined when there is none. */
  schedule(name: ScheduleName): Promise<Schedule | undefined>;
  /** Schedules of every group, at most so many, with the ARN of what each starts. `more`: there are others. */
  list(
    most: number,
  ): Promise<{readonly schedules: readonly (ScheduleName & {readonly target: string})[]; readonly more: boolean}>;
  /** Overwrites it. `conflict`: somebody changed it in the same moment, and nothing happened. */
  update(schedule: Schedule, sleep: (ms: number) => Promise<void>): Promise<'done' | 'conflict'>;
}

export function createScheduler(session: Session): Scheduler {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-scheduler');
    return {
      ...module,
      ...clients(module.SchedulerClient, session.options, 'SCHEDULER'),
    };
  });
  const schedule = together(async ({group, name}: ScheduleName) => {
    const call = session.read('scheduler:GetSchedule', async () => {
      const {reader, GetScheduleCommand} = await sdk();
      return reader.send(new GetScheduleCommand({GroupName: group, Name: name}));
    });
    const found = await ifThere(call, 'ResourceNotFoundException');
    if (found === undefined) return undefined;
    const {$metadata: _call, Arn: _arn, CreationDate: _created, LastModificationDate: _changed, ...schedule} = found;
    return schedule;
  });

  return {
    schedule: schedule.ask,
    list: async most => {
      const {found: schedules, more} = await paged({
        ask: NextToken =>
          session.read('scheduler:ListSchedules', async () => {
            const {reader, ListSchedulesCommand} = await sdk();
            return reader.send(new ListSchedulesCommand({MaxResults: 100, NextToken}));
          }),
        items: ({Schedules = []}) =>
          Schedules.map(({GroupName: group = 'default', Name: name = '', Target: target}) => ({
            group,
            name,
            target: target?.Arn ?? '',
          })),
        next: ({NextToken}) => NextToken,
        most,
      });
      return {schedules, more};
    },
    update: async (changed, sleep) => {
      const {writer, UpdateScheduleCommand} = await sdk();
      const {ScheduleExpression, Target, FlexibleTimeWindow, Name, ...rest} = changed;
      const command = new UpdateScheduleCommand({...rest, Name, ScheduleExpression, Target, FlexibleTimeWindow});
      try {
        await session.write('scheduler:UpdateSchedule', () => writer.send(command), sleep);
        return 'done';
      } catch (error) {
        if (errorName(error) === 'ConflictException') return 'conflict';
        throw error;
      } finally {
        schedule.changed();
      }
    },
  };
}
