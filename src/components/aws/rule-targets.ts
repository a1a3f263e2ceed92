/** The targets of EventBridge rules that start a family, and which revision each pins. */
import type {EventBridge, Rule, RuleTarget} from '../../tools/aws/eventbridge.ts';

/** What of the world is needed here. */
interface Io {
  readonly aws: {readonly events: Pick<EventBridge, 'targets'>};
}

export interface Pin {
  readonly rule: Rule;
  /** The target's id within the rule. */
  readonly target: string;
  /** As the target has it: `…:task-definition/family:7`, or without a revision. */
  readonly taskDefinition: string;
}

/** Every target of the rules that starts a revision of the family, or its newest. */
export async function familyTargets(rules: readonly Rule[], family: string, io: Io): Promise<readonly Pin[]> {
  const found = await Promise.all(
    rules.map(async rule => {
      const targets = await io.aws.events.targets(rule);
      return targets.flatMap(({Id, EcsParameters}) => {
        const taskDefinition = EcsParameters?.TaskDefinitionArn;
        return Id !== undefined && taskDefinition !== undefined && familyOf(taskDefinition) === family
          ? [{rule, target: Id, taskDefinition}]
          : [];
      });
    }),
  );
  // In an order of our own: AWS promises none.
  return found.flat().toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function key({rule, target}: Pin): string {
  return `${rule.bus}/${rule.name}/${target}`;
}

/** The target with another revision; every other field as it came. */
export function pointAt(target: RuleTarget, taskDefinition: string): RuleTarget {
  return {...target, EcsParameters: {...target.EcsParameters, TaskDefinitionArn: taskDefinition}};
}

export function isPinned({taskDefinition}: Pin): boolean {
  return revisionOf(taskDefinition) !== undefined;
}

/** The newest revision that is pinned; undefined where none is. */
export function newestPin(pins: readonly Pin[]): string | undefined {
  return pins.filter(isPinned).toSorted((a, b) => (revisionOf(b.taskDefinition) ?? 0) - (revisionOf(a.taskDefinition) ?? 0))[0]
    ?.taskDefinition;
}

function familyOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1).replace(/:\d+$/, '');
}

function revisionOf(arn: string): number | undefined {
  const digits = /:(\d+)$/.exec(arn)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
