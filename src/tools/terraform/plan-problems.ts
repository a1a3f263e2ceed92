import type {Json} from '../../release/json.ts';
import {canonical} from '../../release/hash.ts';
import type {PlanJson, PlannedCheck} from './plan-json.ts';
import {collectSecrets} from './secrets.ts';
import {hiding} from './show-values.ts';

/**
 * Why this plan must not be applied, whatever it changes; empty when nothing speaks against it.
 * `expectVariables`: what the release means to set. Only the plan itself proves that no other file or variable has won.
 */
export function planProblems(plan: PlanJson, expectVariables: Readonly<Record<string, Json>> = {}): string[] {
  return [
    ...(plan.errored ? ['Terraform could not finish the plan: it ended with an error.'] : []),
    ...(plan.complete === false && !plan.errored ? [incompleteWords(plan)] : []),
    ...Object.entries(expectVariables).flatMap(([name, expected]) => variableProblems(plan, name, expected)),
    ...plan.checks.filter(check => hasFailed(check) && !isCheckBlock(check)).map(tellCheck),
  ];
}

/**
 * The `check` blocks that fail. They say what is so, not what may be done: Terraform only warns (facts 1.2), and a release may be what
 * mends it.
 */
export function failedChecks({checks}: PlanJson): string[] {
  return checks.filter(check => hasFailed(check) && isCheckBlock(check)).map(tellCheck);
}

const hasFailed = ({status}: PlannedCheck) => status === 'fail' || status === 'error';
const isCheckBlock = ({address}: PlannedCheck) => address.kind === 'check';

function incompleteWords({deferred_changes: deferred}: PlanJson): string {
  const left = deferred.map(({resource_change}) => resource_change.address);
  if (left.length > 0) return `The plan leaves out what Terraform put off: ${left.join(', ')}.`;
  return 'The plan is about a part only: it was made with -target, or leaves something for later.';
}

function variableProblems(plan: PlanJson, name: string, expected: Json): string[] {
  const found = plan.variables[name]?.value;
  if (canonical(found ?? null) === canonical(expected)) return [];
  if (found === undefined || found === null) return [`The variable ${name} is not set in the plan.`];
  if (plan.configuration?.root_module?.variables?.[name]?.sensitive)
    return [`The variable ${name} has another value in the plan than this release sets.`];
  if (typeof found === 'number' && typeof expected === 'string') {
    return [
      `The variable ${name} is the number ${found} in the plan, not the text "${expected}": put it in quotes, and declare it as a string.`,
    ];
  }
  const hide = hiding(collectSecrets(plan));
  const value = typeof found === 'string' ? `"${hide(found)}"` : hide(canonical(found));
  return [`The variable ${name} is ${value} in the plan, not ${canonical(expected)}: another file or variable wins.`];
}

function tellCheck({address, instances}: PlannedCheck): string {
  const messages = instances?.flatMap(({problems}) => problems?.map(({message}) => message) ?? []) ?? [];
  const said = [...new Set(messages)].join('; ');
  return `${address.to_display} fails${said === '' ? '' : `: ${said}`}`;
}
