/** Who may approve what: policy for `--yes`, a typed word for people (design section 7). */
import type {Answer} from './events.ts';
import {UsageError} from './errors.ts';
import type {Plan} from './model.ts';
import {type Flag, type Risk, flags, grave, isNoop, risks} from './words.ts';

/** A risk or a flag that is let through, for every component or for one. */
export interface Allowance {
  readonly what: Risk | Flag;
  readonly component?: string;
}

/** Something in a plan that needs an approval. */
export interface Need {
  readonly what: Risk | Flag;
  readonly component: string;
  /** The change that needs it. */
  readonly change: string;
}

const allowed = [...risks, ...flags] as const;

/** `outage`, `downgrade:grant-loader`. Throws a UsageError naming what is allowed. */
export function parseAllowance(text: string): Allowance {
  const [name = '', component, ...rest] = text.split(':');
  const what = allowed.find(candidate => candidate === name);
  if (what === undefined || component === '' || rest.length > 0) {
    throw new UsageError(`--allow ${text}: not a risk or a flag`, {
      code: 'DW209',
      means: 'Nothing was started.',
      next: [`Give one of ${allowed.filter(name => name !== 'none').join(', ')}, with :<component> for one component only.`],
    });
  }
  return component === undefined ? {what} : {what, component};
}

/** All that a plan needs an approval for, in the plan's order, each once. */
export function needsOf(plan: Plan): readonly Need[] {
  const needs = plan.components.flatMap(({component, changes}) =>
    changes.flatMap(change => [
      ...(change.risk === 'none' ? [] : [{what: change.risk, component, change: change.summary}]),
      ...change.flags.map(what => ({what, component, change: change.summary})),
    ]),
  );
  const seen = new Set<string>();
  return needs.filter(({what, component}) => {
    const key = `${what}:${component}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** What a plan needs and nobody allowed. */
export function missingAllowances(plan: Plan, allowances: readonly Allowance[]): readonly Need[] {
  return needsOf(plan).filter(
    need =>
      !allowances.some(({what, component}) => what === need.what && (component === undefined || component === need.component)),
  );
}

/** The exact text that approves a plan: the environment's name for what is grave, `yes` for the rest. */
export function approvalText(plan: Plan, environment: string): string {
  return needsOf(plan).some(({what}) => grave.has(what)) ? environment : 'yes';
}

/** The flags that let the needs through, as they are typed. Empty for no needs. */
export function flagsFor(needs: readonly Need[]): string {
  return needs.map(({what, component}) => `--allow ${what}:${component}`).join(' ');
}

/** What policy answers to a plan for an environment: the exact text, or a refusal that names what would allow it. */
export function policyAnswer(plan: Plan, allowances: readonly Allowance[], expect: string, environment: string): Answer {
  const missing = missingAllowances(plan, allowances);
  if (missing.length === 0)
    return {
      value: expect,
      by: 'policy',
      because: `allowed: ${needsOf(plan)
        .map(need => need.what)
        .filter(unique)
        .join(', ')}`,
    };
  const list = missing.map(({what, component, change}) => `${what} (${component}: ${change})`).join('; ');
  const names = missing
    .map(need => need.what)
    .filter(unique)
    .join(', ');
  const ways = `Allow it with: ${flagsFor(missing)}; or add ${names} to environments.${environment}.policy.allow in the config file`;
  return {value: '', by: 'policy', because: `policy does not allow ${list}. ${ways}`};
}

/** Whether a plan would do anything at all. */
export function isChange(plan: Plan): boolean {
  return !plan.components.every(isNoop);
}

function unique<T>(value: T, index: number, all: readonly T[]): boolean {
  return all.indexOf(value) === index;
}
