/** Rules and their targets. A target is carried as it came: PutTargets replaces the whole of it (facts/aws.md, Schedules). */
import type {Target} from '@aws-sdk/client-eventbridge';
import {DeployError} from '../../release/errors.ts';
import {clients} from './clients.ts';
import {paged} from './paged.ts';
import {type Session, ifThere, lazy} from './session.ts';
import {together} from './together.ts';

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
  /** Names of event buses, at most so many. `more`: there are others. */
  buses(most: number): Promise<{readonly buses: readonly string[]; readonly more: boolean}>;
  /** Names of the rules of a bus, at most so many. `more`: there are others. */
  list(bus: string, most: number): Promise<{readonly rules: readonly Rule[]; readonly more: boolean}>;
  /** Replaces targets by id. Throws when AWS refused any of them, although it answers 200 then. */
  putTargets(rule: Rule, targets: readonly RuleTarget[], sleep: (ms: number) => Promise<void>): Promise<void>;
}

export function createEventBridge(session: Session): EventBridge {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-eventbridge');
    return {
      ...module,
      ...clients(module.EventBridgeClient, session.options, 'EVENTBRIDGE'),
    };
  });
  const rule = together(async ({name, bus}: Rule) => {
    const call = session.read('events:DescribeRule', async () => {
      const {reader, DescribeRuleCommand} = await sdk();
      return reader.send(new DescribeRuleCommand({Name: name, EventBusName: bus}));
    });
    const found = await ifThere(call, 'ResourceNotFoundException');
    return found && {schedule: found.ScheduleExpression, state: found.State ?? 'ENABLED'};
  });
  const targets = together(async ({name, bus}: Rule) => {
    const listing = paged({
      ask: NextToken =>
        session.read('events:ListTargetsByRule', async () => {
          const {reader, ListTargetsByRuleCommand} = await sdk();
          return reader.send(new ListTargetsByRuleCommand({Rule: name, EventBusName: bus, NextToken}));
        }),
      items: ({Targets = []}) => Targets,
      next: ({NextToken}) => NextToken,
    });
    return (await ifThere(listing, 'ResourceNotFoundException'))?.found;
  });

  return {
    rule: rule.ask,
    targets: targets.ask,
    buses: async most => {
      const {found: buses, more} = await paged({
        ask: NextToken =>
          session.read('events:ListEventBuses', async () => {
            const {reader, ListEventBusesCommand} = await sdk();
            return reader.send(new ListEventBusesCommand({Limit: 100, NextToken}));
          }),
        items: ({EventBuses = []}) => EventBuses.flatMap(({Name}) => Name ?? []),
        next: ({NextToken}) => NextToken,
        most,
      });
      return {buses, more};
    },
    list: async (bus, most) => {
      const {found: rules, more} = await paged({
        ask: NextToken =>
          session.read('events:ListRules', async () => {
            const {reader, ListRulesCommand} = await sdk();
            return reader.send(new ListRulesCommand({EventBusName: bus, Limit: 100, NextToken}));
          }),
        items: ({Rules = []}) => Rules.map(({Name = ''}) => ({name: Name, bus})),
        next: ({NextToken}) => NextToken,
        most,
      });
      return {rules, more};
    },
    putTargets: async ({name, bus}, changed, sleep) => {
      const {writer, PutTargetsCommand} = await sdk();
      const command = new PutTargetsCommand({Rule: name, EventBusName: bus, Targets: [...changed]});
      const {FailedEntryCount = 0, FailedEntries = []} = await session
        .write('events:PutTargets', () => writer.send(command), sleep)
        .finally(targets.changed);
      if (FailedEntryCount > 0) {
        const why = FailedEntries.map(
          ({TargetId, ErrorCode, ErrorMessage}) => `${TargetId}: ${ErrorCode} ${ErrorMessage ?? ''}`,
        ).join('; ');
        throw new DeployError(`rule ${name} did not take ${FailedEntryCount} of ${changed.length} targets: ${why}`, {
          means: 'The targets named there still start what they started before.',
        });
      }
    },
  };
}
