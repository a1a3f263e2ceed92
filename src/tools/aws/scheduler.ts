/**
 * EventBridge Scheduler. A schedule is carried whole: UpdateSchedule overwrites everything, and what is left out falls to its
 * default (facts/aws.md, Schedules).
 */
import type {GetScheduleCommandOutput, Target} from '@aws-sdk/client-scheduler';
import {type AwsOptions, clients, errorName, lazy, read, write} from './session.ts';

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

export function createScheduler(options: AwsOptions): Scheduler {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-scheduler');
    return {
      ...module,
      ...clients(module.SchedulerClient, options, 'SCHEDULER'),
    };
  });
  return {
    schedule: async ({group, name}) => {
      try {
        return await read(options, 'scheduler:GetSchedule', async () => {
          const {reader, GetScheduleCommand} = await sdk();
          const found = await reader.send(new GetScheduleCommand({GroupName: group, Name: name}));
          const {$metadata: _call, Arn: _arn, CreationDate: _created, LastModificationDate: _changed, ...schedule} = found;
          return schedule;
        });
      } catch (error) {
        if (errorName(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },
    list: most =>
      read(options, 'scheduler:ListSchedules', async () => {
        const {reader, ListSchedulesCommand} = await sdk();
        const schedules: (ScheduleName & {target: string})[] = [];
        let next: string | undefined;
        do {
          const page = await reader.send(new ListSchedulesCommand({MaxResults: 100, ...(next && {NextToken: next})}));
          for (const {GroupName: group = 'default', Name: name = '', Target: target} of page.Schedules ?? [])
            schedules.push({group, name, target: target?.Arn ?? ''});
          next = page.NextToken;
        } while (next !== undefined && schedules.length < most);
        return {schedules: schedules.slice(0, most), more: next !== undefined || schedules.length > most};
      }),
    update: async (schedule, sleep) => {
      const {writer, UpdateScheduleCommand} = await sdk();
      const {ScheduleExpression, Target, FlexibleTimeWindow, Name, ...rest} = schedule;
      const command = new UpdateScheduleCommand({...rest, Name, ScheduleExpression, Target, FlexibleTimeWindow});
      try {
        await write(options, 'scheduler:UpdateSchedule', () => writer.send(command), sleep);
        return 'done';
      } catch (error) {
        if (errorName(error) === 'ConflictException') return 'conflict';
        throw error;
      }
    },
  };
}
