import * as z from 'zod';
import {arnIn} from '../account.ts';
import {actionsOf, type Service} from '../action.ts';
import {paginate} from '../pagination.ts';
import {busNamed, DEFAULT_BUS, putRule, putTargets, type Rule, ruleNamed} from './rules.ts';

const codes = {invalidInput: 'ValidationException', internal: 'InternalException'};
const action = actionsOf(codes);

const name = z.string().regex(/^[.\-_A-Za-z0-9]{1,64}$/);
const bus = z.string().default(DEFAULT_BUS);
const page = {NextToken: z.string().optional(), Limit: z.int().min(1).max(100).default(100)};
const settings = {
  ScheduleExpression: z.string().optional(),
  EventPattern: z.string().optional(),
  State: z.enum(['ENABLED', 'DISABLED', 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS']).optional(),
  Description: z.string().optional(),
  RoleArn: z.string().optional(),
};

export const eventbridge: Service = {
  name: 'events',
  wire: {protocol: 'json', version: '1.1', target: 'AWSEvents'},
  codes,
  actions: {
    PutRule: action(z.object({Name: name, EventBusName: bus, ...settings}), (account, {Name, EventBusName, ...rest}) => ({
      RuleArn: putRule(account, EventBusName, Name, rest).arn,
    })),

    ListEventBuses: action(z.object({NamePrefix: z.string().default(''), ...page}), (account, input) => {
      const names = [...account.buses.keys()].filter(one => one.startsWith(input.NamePrefix));
      const {items, nextToken} = paginate(names, pageOf(input));
      const buses = items.map(Name => ({Name, Arn: arnIn(account, 'events', `event-bus/${Name}`)}));
      return {EventBuses: buses, NextToken: nextToken};
    }),

    ListRules: action(z.object({NamePrefix: z.string().default(''), EventBusName: bus, ...page}), (account, input) => {
      const rules = [...busNamed(account, input.EventBusName).values()].filter(rule => rule.name.startsWith(input.NamePrefix));
      const {items, nextToken} = paginate(rules, pageOf(input));
      return {Rules: items.map(summary), NextToken: nextToken};
    }),

    DescribeRule: action(z.object({Name: name, EventBusName: bus}), (account, {Name, EventBusName}) => ({
      ...summary(ruleNamed(account, EventBusName, Name)),
      CreatedBy: account.id,
    })),

    ListTargetsByRule: action(z.object({Rule: name, EventBusName: bus, ...page}), (account, input) => {
      const {items, nextToken} = paginate(
        [...ruleNamed(account, input.EventBusName, input.Rule).targets.values()],
        pageOf(input),
      );
      return {Targets: items, NextToken: nextToken};
    }),

    PutTargets: action(
      z.object({
        Rule: name,
        EventBusName: bus,
        Targets: z
          .array(z.looseObject({Id: z.string().min(1).max(64), Arn: z.string().startsWith('arn:')}))
          .min(1)
          .max(10),
      }),
      (account, {Rule, EventBusName, Targets}) => {
        const failed = putTargets(account, ruleNamed(account, EventBusName, Rule), Targets);
        return {FailedEntryCount: failed.length, FailedEntries: failed};
      },
    ),
  },
};

const pageOf = (input: {Limit: number; NextToken?: string | undefined}) => ({
  limit: input.Limit,
  token: input.NextToken,
  invalid: codes.invalidInput,
});

const summary = ({name, arn, bus, settings}: Rule) => ({Name: name, Arn: arn, EventBusName: bus, ...settings});
