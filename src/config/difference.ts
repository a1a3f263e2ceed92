/** How two config files differ, in words: for whoever goes on with a release that began with the older one. Pure. */
import type {Json} from '../release/json.ts';
import {fingerprint} from '../release/hash.ts';

/** One line a setting that differs, named by its path, in the order of the older file. Empty where both say the same. */
export function configDifferences(before: Json, after: Json): readonly string[] {
  return differences('', before, after);
}

function differences(path: string, before: Json | undefined, after: Json | undefined): readonly string[] {
  if (isMapping(before) && isMapping(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap(name => differences(path === '' ? name : `${path}.${name}`, own(before, name), own(after, name)));
  }
  if (before === undefined) return [`${path}: new`];
  if (after === undefined) return [`${path}: gone`];
  return fingerprint(before) === fingerprint(after) ? [] : [`${path}: ${tell(after)} now, ${tell(before)} then`];
}

function isMapping(value: Json | undefined): value is {readonly [name: string]: Json} {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A name such as `constructor` is a key of nothing that does not have it. */
function own(mapping: {readonly [name: string]: Json}, name: string): Json | undefined {
  return Object.hasOwn(mapping, name) ? mapping[name] : undefined;
}

/** Longer settings are not for one line. */
const longest = 60;

function tell(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}
