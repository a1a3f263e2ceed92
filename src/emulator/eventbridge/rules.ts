import {type Account, arnIn} from '../account.ts';
import {AwsError} from '../errors.ts';

/** A target exactly as it was put: PutTargets replaces the whole of it, and nothing here reads more than its id. */
export type Target = OpenTarget | (OpenTarget & Readonly<Record<string, unknown>>);

interface OpenTarget {
  readonly Id: string;
  readonly Arn: string;
}

export interface RuleSettings {
  readonly ScheduleExpression?: string | undefined;
  readonly EventPattern?: string | undefined;
  readonly State?: string | undefined;
  readonly Description?: string | undefined;
  readonly RoleArn?: string | undefined;
}

export interface Rule {
  readonly name: string;
  readonly arn: string;
  readonly bus: string;
  readonly settings: RuleSettings;
  /** By id. */
  readonly targets: Map<string, Target>;
}

/** Rules by name. */
export type EventBus = Map<string, Rule>;

export interface FailedEntry {
  readonly TargetId: string;
  readonly ErrorCode: string;
  readonly ErrorMessage: string;
}

export const DEFAULT_BUS = 'default';
const TARGETS_A_RULE = 5;

/** A bus is named by its name or by its ARN. */
const busName = (nameOrArn: string): string => nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1);

export function busNamed(account: Account, nameOrArn: string): EventBus {
  const bus = account.buses.get(busName(nameOrArn));
  if (bus === undefined) throw new AwsError('ResourceNotFoundException', `Event bus ${busName(nameOrArn)} does not exist.`);
  return bus;
}

export function ruleNamed(account: Account, bus: string, name: string): Rule {
  const rule = busNamed(account, bus).get(name);
  if (rule === undefined)
    throw new AwsError('ResourceNotFoundException', `Rule ${name} does not exist on EventBus ${busName(bus)}.`);
  return rule;
}

/** Creates a rule, or gives the one with this name new settings; its targets stay. */
export function putRule(account: Account, bus: string, name: string, settings: RuleSettings): Rule {
  const rules = busNamed(account, bus);
  const {ScheduleExpression, EventPattern} = settings;
  if (ScheduleExpression === undefined && EventPattern === undefined) {
    throw new AwsError('ValidationException', 'Parameter(s) EventPattern or ScheduleExpression must be specified.');
  }
  if (ScheduleExpression !== undefined && busName(bus) !== DEFAULT_BUS) {
    throw new AwsError('ValidationException', 'ScheduleExpression is supported only on the default event bus.');
  }
  const path = busName(bus) === DEFAULT_BUS ? name : `${busName(bus)}/${name}`;
  const rule: Rule = {
    name,
    arn: arnIn(account, 'events', `rule/${path}`),
    bus: busName(bus),
    settings: {...settings, State: settings.State ?? 'ENABLED'},
    targets: rules.get(name)?.targets ?? new Map(),
  };
  rules.set(name, rule);
  return rule;
}

/** Puts targets one by one. What cannot be put is in the answer, and the call succeeds all the same. */
export function putTargets(account: Account, rule: Rule, targets: readonly Target[]): readonly FailedEntry[] {
  if (new Set([...rule.targets.keys(), ...targets.map(({Id}) => Id)]).size > TARGETS_A_RULE) {
    throw new AwsError('LimitExceededException', 'The requested resource exceeds the maximum number allowed.');
  }
  const isRefused = ({Id}: Target): boolean => account.refusedTargets.has(Id);
  for (const target of targets) if (!isRefused(target)) rule.targets.set(target.Id, target);
  return targets.filter(isRefused).map(({Id}) => ({
    TargetId: Id,
    ErrorCode: 'ConcurrentModificationException',
    ErrorMessage: 'There is concurrent modification on a rule, target, archive, or replay.',
  }));
}
