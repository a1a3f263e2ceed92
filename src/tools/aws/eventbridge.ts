/** Rules and their targets. A target is carried as it came: PutTargets replaces the whole of it (facts/aws.md, Schedules). */
import type {Target} from '@aws-sdk/client-eventbridge';
import {DeployError} from '../../release/errors.ts';
import {type AwsOptions, clients, errorName, lazy, read, write} from './session.ts';

export type RuleTarget = Target;

export interface Rule {
  readonly name: string;
  /** `default` for the account's own bus. */
  readonly bus: string;
}

export interface EventBridge {
  /** The rule's schedule and state; undefined when there is none. */
  rule(rule: Rule): Promise<{readonly schedule: string | undefined; readonly state: string} | undefined>;
  /** Undefined when there is no such rule. */
  targets(rule: Rule): Promise<readonly RuleTarget[] | undefined>;
  /** Names of the rules of a bus, at most so many. `more`: there are others. */
  list(bus: string, most: number): Promise<{readonly rules: readonly Rule[]; readonly more: boolean}>;
  /** Replaces targets by id. Throws when AWS refused any of them, although it answers 200 then. */
  putTargets(rule: Rule, targets: readonly RuleTarget[], sleep: (ms: number) => Promise<void>): Promise<void>;
}

export function createEventBridge(options: AwsOptions): EventBridge {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-eventbridge');
    return {
      ...module,
      ...clients(module.EventBridgeClient, options, 'EVENTBRIDGE'),
    };
  });
  return {
    rule: async ({name, bus}) => {
      try {
        return await read(options, 'events:DescribeRule', async () => {
          const {reader, DescribeRuleCommand} = await sdk();
          const {ScheduleExpression, State} = await reader.send(new DescribeRuleCommand({Name: name, EventBusName: bus}));
          return {schedule: ScheduleExpression, state: State ?? 'ENABLED'};
        });
      } catch (error) {
        if (errorName(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },
    targets: async ({name, bus}) => {
      try {
        return await read(options, 'events:ListTargetsByRule', async () => {
          const {reader, ListTargetsByRuleCommand} = await sdk();
          const targets: RuleTarget[] = [];
          let next: string | undefined;
          do {
            const page = await reader.send(
              new ListTargetsByRuleCommand({Rule: name, EventBusName: bus, ...(next && {NextToken: next})}),
            );
            targets.push(...(page.Targets ?? []));
            next = page.NextToken;
          } while (next !== undefined);
          return targets;
        });
      } catch (error) {
        if (errorName(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },
    list: (bus, most) =>
      read(options, 'events:ListRules', async () => {
        const {reader, ListRulesCommand} = await sdk();
        const rules: Rule[] = [];
        let next: string | undefined;
        do {
          const page = await reader.send(new ListRulesCommand({EventBusName: bus, Limit: 100, ...(next && {NextToken: next})}));
          rules.push(...(page.Rules ?? []).map(({Name = ''}) => ({name: Name, bus})));
          next = page.NextToken;
        } while (next !== undefined && rules.length < most);
        return {rules: rules.slice(0, most), more: next !== undefined || rules.length > most};
      }),
    putTargets: async ({name, bus}, targets, sleep) => {
      const {writer, PutTargetsCommand} = await sdk();
      const command = new PutTargetsCommand({Rule: name, EventBusName: bus, Targets: [...targets]});
      const {FailedEntryCount = 0, FailedEntries = []} = await write(
        options,
        'events:PutTargets',
        () => writer.send(command),
        sleep,
      );
      if (FailedEntryCount > 0) {
        const why = FailedEntries.map(
          ({TargetId, ErrorCode, ErrorMessage}) => `${TargetId}: ${ErrorCode} ${ErrorMessage ?? ''}`,
        ).join('; ');
        throw new DeployError(`rule ${name} did not take ${FailedEntryCount} of ${targets.length} targets: ${why}`, {
          means: 'The targets named there still start what they started before.',
        });
      }
    },
  };
}
