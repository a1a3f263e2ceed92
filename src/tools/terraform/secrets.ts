/** The secrets that a plan holds, as texts to hide. */
import type {Json} from '../../release/json.ts';
import type {ConfigModule, Marks, PlanJson, StateModule} from './plan-json.ts';
import {decodeJson, isList, isObject, marksAt} from './values.ts';

/** Shorter texts would hide parts of ordinary words. They are hidden where they stand only, by path. */
const shortestText = 4;
/** A PIN or an account is a secret; a port, a size or a year would hide what everybody may see. */
const shortestNumber = 6;
/** Lines of a key, values in a JSON text: shorter ones (`admin`, `postgres`) are too common to hide everywhere. */
const shortestPart = 8;
const words = new Set(['true', 'false', 'null', 'none', 'default']);

/**
 * Every literal text that a sensitive variable, attribute, output or action setting has in this plan, longest first, so that a
 * secret within another one does not leave the rest of it readable.
 *
 * Needed because Terraform loses the mark: a provider that computes `output` from a sensitive `input` prints it in clear, and the
 * diagnostics of a failed provisioner quote its whole command (facts 1.2, 1.9).
 */
export function collectSecrets(plan: PlanJson): readonly string[] {
  const secrets = new Set<string>();
  const collect = (value: Json | undefined, marks: Marks) => {
    for (const literal of marked(value, marks)) for (const text of textsOf(literal)) secrets.add(text);
  };

  const root = plan.configuration?.root_module;
  for (const [name, {sensitive}] of Object.entries(root?.variables ?? {})) collect(plan.variables[name]?.value, sensitive);
  collectFromConfig(root, collect);

  for (const {change} of [...plan.resource_changes, ...plan.resource_drift]) {
    collect(change.before, change.before_sensitive);
    collect(change.after, change.after_sensitive);
  }
  for (const change of Object.values(plan.output_changes)) {
    collect(change.before, change.before_sensitive);
    collect(change.after, change.after_sensitive);
  }
  for (const {config_values, config_sensitive} of plan.action_invocations) collect(config_values, config_sensitive);

  // Data sources are in no change: only here.
  for (const values of [plan.prior_state?.values, plan.planned_values]) {
    for (const output of Object.values(values?.outputs ?? {})) collect(output.value, output.sensitive);
    collectFromState(values?.root_module, collect);
  }
  return inOrder(secrets);
}

/** The texts to hide for a value that is secret as a whole. */
export function textsOfSecret(value: Json): readonly string[] {
  return [...marked(value, true)].flatMap(literal => [...textsOf(literal)]);
}

type Collect = (value: Json | undefined, marks: Marks) => void;

function collectFromState(module: StateModule | undefined, collect: Collect): void {
  for (const {values, sensitive_values} of module?.resources ?? []) collect(values, sensitive_values);
  for (const child of module?.child_modules ?? []) collectFromState(child, collect);
}

/** Defaults of sensitive variables, and the literals that a module call passes to them. */
function collectFromConfig(module: ConfigModule | undefined, collect: Collect): void {
  for (const variable of Object.values(module?.variables ?? {})) collect(variable.default, variable.sensitive);
  for (const call of Object.values(module?.module_calls ?? {})) {
    for (const [name, variable] of Object.entries(call.module?.variables ?? {})) {
      collect(constantOf(call.expressions?.[name]), variable.sensitive);
    }
    collectFromConfig(call.module, collect);
  }
}

function constantOf(expression: Json | undefined): Json | undefined {
  return isObject(expression) ? expression['constant_value'] : undefined;
}

/** The texts and numbers at the marked places of a value. */
function* marked(value: Json | undefined, marks: Marks): Generator<string | number> {
  if (marks === undefined || marks === null || marks === false) return;
  if (typeof value === 'string' || typeof value === 'number') {
    if (marks === true) yield value;
  } else if (isList(value)) {
    for (const [index, item] of value.entries()) yield* marked(item, marksAt(marks, index));
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) yield* marked(item, marksAt(marks, key));
  }
}

/** Longest first, each once. */
export function inOrder(secrets: Iterable<string>): readonly string[] {
  return [...new Set(secrets)].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

/** The texts to hide for one value: itself, and what it is met as when it is printed line by line or taken apart by `jsondecode`. */
function* textsOf(value: string | number): Generator<string> {
  if (typeof value === 'number') {
    if (String(value).length >= shortestNumber) yield String(value);
    return;
  }
  if (value.length >= shortestText && !words.has(value.toLowerCase())) yield value;
  for (const part of [...value.split('\n'), ...marked(decodeJson(value), true)]) {
    if (String(part).trim().length >= shortestPart) yield String(part).trim();
  }
}
