/**
 * The secrets of a state file (format 4), as texts to hide. Needed where a plan fails: then there is no plan to take them from, and
 * the words of the failure may quote them.
 */
import * as z from 'zod';
import type {Json} from '../../release/json.ts';
import {inOrder, textsOfSecret} from './secrets.ts';
import {isList, isObject} from './values.ts';

const value = z.custom<Json>();

/** One step of a path: `{"type": "get_attr", "value": "pw"}`, `{"type": "index", "value": {"value": 0, "type": "number"}}`. */
const pathStep = z.object({value: z.union([z.string(), z.object({value: z.union([z.string(), z.number()])})])});

export const stateJson = z.object({
  lineage: z.string(),
  serial: z.number(),
  outputs: z.record(z.string(), z.object({value: value.optional(), sensitive: z.boolean().optional()})).default({}),
  resources: z
    .array(
      z.object({
        instances: z
          .array(
            z.object({
              attributes: value.optional(),
              // Lenient: a path that is not understood hides its whole object.
              sensitive_attributes: z.array(z.array(pathStep).catch([])).nullish(),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
});

export function collectStateSecrets({outputs, resources}: z.infer<typeof stateJson>): readonly string[] {
  const ofOutputs = Object.values(outputs).flatMap(({value, sensitive}) => (sensitive && value !== undefined ? [value] : []));
  const ofResources = resources.flatMap(({instances}) =>
    instances.flatMap(({attributes, sensitive_attributes: paths}) => (paths ?? []).flatMap(path => at(attributes, path))),
  );
  return inOrder([...ofOutputs, ...ofResources].flatMap(textsOfSecret));
}

/** What stands at a path; nothing where the path leads nowhere. */
function at(value: Json | undefined, [step, ...rest]: readonly z.infer<typeof pathStep>[]): readonly Json[] {
  if (value === undefined || step === undefined) return value === undefined ? [] : [value];
  const key = typeof step.value === 'string' ? step.value : step.value.value;
  if (isList(value)) return typeof key === 'number' ? at(value[key], rest) : [];
  if (!isObject(value)) return [];
  // An attribute of any type is stored with its type: {"value": …, "type": …}; paths lead through it as if it were not there.
  const whole = value[key] === undefined && 'type' in value ? value['value'] : undefined;
  return whole === undefined ? at(value[key], rest) : at(whole, [step, ...rest]);
}
