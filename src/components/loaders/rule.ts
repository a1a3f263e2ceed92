/** EventBridge rules: targets that run an ECS task, or submit a Batch job. */
import type {Rule, RuleTarget} from '../../tools/aws/eventbridge.ts';
import {waiting} from '../aws/waiting.ts';
import {type Launch, launchOf, overridesIn} from './launch.ts';
import {type Wanted, isOf} from './reference.ts';
import type {Entry, Io, Reading} from './target.ts';

/** The rule now; undefined when there is none. */
export async function readRule(rule: Rule, wanted: Wanted, io: Io): Promise<Reading | undefined> {
  const [found, targets] = await Promise.all([io.aws.events.rule(rule), io.aws.events.targets(rule)]);
  if (found === undefined || targets === undefined) return undefined;
  return {
    entries: ruleEntries(targets, wanted),
    timing:
      found.schedule === undefined ? undefined : {expression: found.schedule, zone: 'UTC', enabled: found.state !== 'DISABLED'},
    write: async references => {
      const changed = targets.flatMap(target => {
        const reference = references.get(target.Id ?? '');
        return reference === undefined ? [] : [pointAt(target, reference)];
      });
      await io.aws.events.putTargets(rule, changed, waiting(io));
      return 'done';
    },
  };
}

/** The targets that start what is wanted, in an order of our own: AWS promises none. */
export function ruleEntries(targets: readonly RuleTarget[], wanted: Wanted): readonly Entry[] {
  return targets
    .flatMap(target => {
      const {Id: id, EcsParameters, BatchParameters} = target;
      const starts = wanted.service === 'ecs' ? EcsParameters?.TaskDefinitionArn : BatchParameters?.JobDefinition;
      return id !== undefined && isOf(wanted, starts) ? [{id, starts, launch: () => launchOfTarget(target, wanted)}] : [];
    })
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** The target with another revision; every other field as it came. */
function pointAt(target: RuleTarget, reference: string): RuleTarget {
  const {EcsParameters, BatchParameters} = target;
  return {
    ...target,
    ...(EcsParameters && {EcsParameters: {...EcsParameters, TaskDefinitionArn: reference}}),
    ...(BatchParameters && {BatchParameters: {...BatchParameters, JobDefinition: reference}}),
  };
}

function launchOfTarget({Arn, EcsParameters, BatchParameters, ...target}: RuleTarget, {service}: Wanted): Launch {
  if (target.InputTransformer ?? target.InputPath) return {problem: 'its input is made of the event'};
  const overrides = overridesIn(target.Input);
  if (service === 'ecs') return launchOf('ecs', EcsParameters, {cluster: Arn ?? '', overrides});
  const {parameters = {}, containerOverrides = {}} = overrides;
  return launchOf('batch', BatchParameters, {jobQueue: Arn ?? '', parameters, containerOverrides});
}
