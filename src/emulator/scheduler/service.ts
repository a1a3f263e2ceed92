import * as z from 'zod';
import {actionsOf, type Service} from '../action.ts';
import {epochSeconds} from '../clock.ts';
import {paginate} from '../pagination.ts';
import {checkGroup, createSchedule, DEFAULT_GROUP, type Schedule, scheduleNamed, updateSchedule} from './schedules.ts';

const codes = {invalidInput: 'ValidationException', internal: 'InternalServerException'};
const action = actionsOf(codes);

const Name = z.string().regex(/^[0-9a-zA-Z\-_.]{1,64}$/);
const GroupName = z.string().default(DEFAULT_GROUP);
/** The state also comes in a query. */
const State = z.enum(['ENABLED', 'DISABLED']).optional();

const settings = {
  ScheduleExpression: z.string().min(1).max(256),
  FlexibleTimeWindow: z.looseObject({Mode: z.enum(['OFF', 'FLEXIBLE'])}),
  Target: z.looseObject({Arn: z.string().startsWith('arn:'), RoleArn: z.string().startsWith('arn:')}),
  ScheduleExpressionTimezone: z.string().optional(),
  State,
  ActionAfterCompletion: z.enum(['NONE', 'DELETE']).optional(),
  Description: z.string().max(512).optional(),
  KmsKeyArn: z.string().optional(),
  StartDate: z.number().optional(),
  EndDate: z.number().optional(),
};

export const scheduler: Service = {
  name: 'scheduler',
  wire: {
    protocol: 'rest-json',
    routes: {
      CreateSchedule: {method: 'POST', path: '/schedules/{Name}'},
      GetSchedule: {method: 'GET', path: '/schedules/{Name}'},
      UpdateSchedule: {method: 'PUT', path: '/schedules/{Name}'},
      ListSchedules: {method: 'GET', path: '/schedules'},
    },
  },
  codes,
  actions: {
    CreateSchedule: action(z.object({Name, GroupName, ...settings}), (account, {Name, GroupName, ...said}) => ({
      ScheduleArn: createSchedule(account, GroupName, Name, said).arn,
    })),

    // In the query the group is `groupName`; in bodies it is `GroupName`.
    GetSchedule: action(z.object({Name, groupName: GroupName}), (account, {Name, groupName}) => {
      const schedule = scheduleNamed(account, groupName, Name);
      return {...schedule.settings, ...identity(schedule)};
    }),

    UpdateSchedule: action(z.object({Name, GroupName, ...settings}), (account, {Name, GroupName, ...said}) => ({
      ScheduleArn: updateSchedule(account, GroupName, Name, said).arn,
    })),

    ListSchedules: action(
      z.object({
        ScheduleGroup: z.string().optional(),
        NamePrefix: z.string().default(''),
        State,
        NextToken: z.string().optional(),
        MaxResults: z.coerce.number().int().min(1).max(100).default(100),
      }),
      (account, input) => {
        if (input.ScheduleGroup !== undefined) checkGroup(account, input.ScheduleGroup);
        const wanted = [...account.schedules.values()]
          .filter(({group}) => group === (input.ScheduleGroup ?? group))
          .filter(({name}) => name.startsWith(input.NamePrefix))
          .filter(({settings}) => settings.State === (input.State ?? settings.State));
        const {items, nextToken} = paginate(wanted, {
          limit: input.MaxResults,
          token: input.NextToken,
          invalid: codes.invalidInput,
        });
        return {Schedules: items.map(summary), NextToken: nextToken};
      },
    ),
  },
};

const identity = ({name, group, arn, createdAt, modifiedAt}: Schedule) => ({
  Name: name,
  GroupName: group,
  Arn: arn,
  CreationDate: epochSeconds(createdAt),
  LastModificationDate: epochSeconds(modifiedAt),
});

const summary = (schedule: Schedule) => ({
  ...identity(schedule),
  State: schedule.settings.State,
  Target: {Arn: schedule.settings.Target.Arn},
});
