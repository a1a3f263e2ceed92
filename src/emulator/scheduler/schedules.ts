import {type Account, arnIn} from '../account.ts';
import {AwsError} from '../errors.ts';

/** A target as it was given; nothing here reads more than its ARN. */
export type ScheduleTarget = OpenTarget | (OpenTarget & Readonly<Record<string, unknown>>);

interface OpenTarget {
  readonly Arn: string;
  readonly RoleArn: string;
}

/** What CreateSchedule and UpdateSchedule say about a schedule. What is not said has its default, in an update too. */
export interface ScheduleSettings {
  readonly ScheduleExpression: string;
  readonly FlexibleTimeWindow: object;
  readonly Target: ScheduleTarget;
  readonly ScheduleExpressionTimezone?: string | undefined;
  readonly State?: string | undefined;
  readonly ActionAfterCompletion?: string | undefined;
  readonly Description?: string | undefined;
  readonly KmsKeyArn?: string | undefined;
  /** Seconds since the epoch. */
  readonly StartDate?: number | undefined;
  readonly EndDate?: number | undefined;
}

export interface Schedule {
  readonly name: string;
  readonly group: string;
  readonly arn: string;
  readonly settings: ScheduleSettings;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

export const DEFAULT_GROUP = 'default';

const DEFAULTS = {ScheduleExpressionTimezone: 'UTC', State: 'ENABLED', ActionAfterCompletion: 'NONE'};
const RETRIES = {MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185};

function withDefaults(settings: ScheduleSettings): ScheduleSettings {
  const target = {RetryPolicy: RETRIES, ...settings.Target};
  return {...DEFAULTS, ...settings, Target: target};
}

const keyOf = (group: string, name: string): string => `${group}/${name}`;

export function createSchedule(account: Account, group: string, name: string, settings: ScheduleSettings): Schedule {
  checkGroup(account, group);
  if (account.schedules.has(keyOf(group, name))) throw new AwsError('ConflictException', `Schedule ${name} already exists.`, 409);
  const now = account.clock.now();
  const arn = arnIn(account, 'scheduler', `schedule/${group}/${name}`);
  const schedule = {name, group, arn, settings: withDefaults(settings), createdAt: now, modifiedAt: now};
  account.schedules.set(keyOf(group, name), schedule);
  return schedule;
}

/** Overwrites everything: what the caller leaves out falls to its default. */
export function updateSchedule(account: Account, group: string, name: string, settings: ScheduleSettings): Schedule {
  const schedule = {
    ...scheduleNamed(account, group, name),
    settings: withDefaults(settings),
    modifiedAt: account.clock.now(),
  };
  account.schedules.set(keyOf(group, name), schedule);
  return schedule;
}

export function scheduleNamed(account: Account, group: string, name: string): Schedule {
  checkGroup(account, group);
  const schedule = account.schedules.get(keyOf(group, name));
  if (schedule === undefined) throw new AwsError('ResourceNotFoundException', `Schedule ${name} does not exist.`, 404);
  return schedule;
}

export function checkGroup({scheduleGroups}: Account, group: string): void {
  if (scheduleGroups.has(group)) return;
  throw new AwsError('ResourceNotFoundException', `Schedule group ${group} does not exist.`, 404);
}
