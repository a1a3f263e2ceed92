/**
 * How a target starts its task or job, as the request of RunTask or SubmitJob: for one run of a new revision before the
 * target itself is moved to it. The targets write the same settings in several spellings.
 */
import {type Json, json} from '../../release/json.ts';
import {type Input, isObject} from '../aws/containers.ts';
import type {Wanted} from './reference.ts';

/** The request without its definition, or why it cannot be told. */
export type Launch = {readonly request: Input} | {readonly problem: string};

/** Maps whose keys are data, not names of settings. */
const data = new Set(['parameters', 'tags', 'Parameters', 'Tags', 'options', 'Options']);

/** `NetworkConfiguration` → `networkConfiguration`, to the bottom: the way in which the SDK's requests are spelled. */
function camelCase(value: Json): Json {
  if (Array.isArray(value)) return value.map((item: Json) => camelCase(item));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const isData = data.has(key) && isObject(item);
      return [key.slice(0, 1).toLowerCase() + key.slice(1), isData ? item : camelCase(item)];
    }),
  );
}

/** One of them is enough to see whether it runs; the definition is the new one; AWS' own answers are not asked for twice. */
const left: Readonly<Record<Wanted['service'], ReadonlySet<string>>> = {
  ecs: new Set(['taskDefinition', 'taskDefinitionArn', 'taskCount', 'count', 'startedBy', 'clientToken', 'referenceId']),
  batch: new Set(['jobDefinition', 'jobName', 'arrayProperties', 'dependsOn']),
};

/** Settings in any spelling. `fixed`: said by the target beside them. */
export function launchOf(service: Wanted['service'], settings: unknown, fixed: Input = {}): Launch {
  const parsed = json.safeParse(JSON.parse(JSON.stringify(settings ?? {})));
  const all = camelCase(parsed.data ?? {});
  if (!isObject(all)) return {problem: 'its settings are no JSON object'};
  const kept = Object.fromEntries(Object.entries(all).filter(([key]) => !left[service].has(key.replace(/\.\$$/, ''))));
  const dynamic = dynamicKey(kept);
  if (dynamic !== undefined) return {problem: `${dynamic} comes from the input of its execution`};
  const request = {...kept, ...fixed};
  if (service === 'batch' && !('jobQueue' in request)) return {problem: 'it names no job queue'};
  return {request};
}

/** The `Input` of a rule's or a schedule's target: JSON, where it overrides anything. */
export function overridesIn(input: string | undefined): Input {
  try {
    const parsed = camelCase(json.parse(JSON.parse(input ?? '{}')));
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

/** A setting that a state machine computes: `Cluster.$` in JSONPath, `{% … %}` in JSONata, in a list as well. */
function dynamicKey(value: Json, name = ''): string | undefined {
  if (name.endsWith('.$')) return name.slice(0, -2);
  if (typeof value === 'string') return /^\{%.*%\}$/s.test(value) ? name : undefined;
  if (Array.isArray(value)) return value.map((item: Json) => dynamicKey(item, name)).find(found => found !== undefined);
  if (!isObject(value)) return undefined;
  return Object.entries(value)
    .map(([key, item]) => dynamicKey(item, key))
    .find(found => found !== undefined);
}
