/** What a plan takes down, for how long, and what would spare it. */
import type {Change} from '../../release/model.ts';
import {inWords} from '../downtime.ts';

/** The changes with the forecast as a detail of those that are outages. `past`: earlier downtimes here in milliseconds, newest first. */
export function withForecast(changes: readonly Change[], past: readonly number[]): readonly Change[] {
  const outage = {name: 'outage', before: null, after: expected(past)};
  return changes.map(change => (change.risk === 'outage' ? {...change, details: [...change.details, outage]} : change));
}

/** One line for what goes down, and one a resource for how it would not. */
export function forecastNotes(
  changes: readonly Change[],
  past: readonly number[],
  {probed, limit}: {readonly probed: boolean; readonly limit: number | undefined},
): readonly string[] {
  const down = changes.flatMap(({id, risk}) => (risk === 'outage' ? [id] : []));
  if (down.length === 0) return [];
  const estimate = estimated(past);
  const unknown = probed ? 'nothing was measured here yet' : 'nothing is measured without `verify.http`';
  return [
    `goes down: ${down.join(', ')}; ${estimate === undefined ? `for how long is not known: ${unknown}` : expected(past)}`,
    ...(limit !== undefined && estimate !== undefined && estimate > limit
      ? [`that is longer than \`maxDowntime\` (${inWords(limit)}) allows`]
      : []),
    ...[...new Set(down.map(blockOf))].map(
      block =>
        `${block} would be created first, and nothing go down, with this in its block: lifecycle { create_before_destroy = true } (where two of it can be there at once)`,
    ),
  ];
}

/** `outage ~2 m, last 3: 1 m 50 s, 2 m 4 s, 2 m` */
function expected(past: readonly number[]): string {
  const estimate = estimated(past);
  if (estimate === undefined) return 'for how long is not known yet';
  const last = past.slice(0, remembered);
  return `~${inWords(estimate)}, last ${last.length}: ${last.map(inWords).join(', ')}`;
}

/** How many of the past say something of the next one. */
const remembered = 3;

/** The median: one night on which everything went wrong is no forecast. */
function estimated(past: readonly number[]): number | undefined {
  const last = past.slice(0, remembered).toSorted((a, b) => a - b);
  return last[Math.floor(last.length / 2)];
}

/** The block that an address comes from: without its instance keys, which all share one `lifecycle`. */
function blockOf(address: string): string {
  return address.replaceAll(/\[(?:\d+|"(?:[^"\\]|\\.)*")\]/g, '');
}
