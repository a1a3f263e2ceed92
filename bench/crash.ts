/**
 * `npm run crash [-- count]`: so many PASS releases, each thrown away at one to five moments drawn by a seed, on an endpoint that
 * answers, that is flaky, or that loses answers. A table of what came of them; exit code 1 where one came to another end.
 */
import pLimit from 'p-limit';
import {type Crashing, crashing, endState, toTheEnd} from '../test/support/crashing.ts';
import type {Crash} from '../test/support/mortal.ts';
import {cleanly} from './cleanly.ts';
import {table} from './table.ts';

const scenarios = ['healthy', 'flaky', 'lost-answer'] as const;
type Name = (typeof scenarios)[number];

const count = Number(process.argv[2] ?? 300);
if (!Number.isInteger(count) || count < 1) throw new RangeError(`how many releases? Not ${process.argv[2]}`);

/** Numbers below 1 that are the same in every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Lines that a release writes, and calls with which it changes something. */
const size = {lines: 116, calls: 11};

function draw(next: () => number): readonly Crash[] {
  const below = (limit: number) => Math.floor(next() * limit);
  return Array.from({length: 1 + below(5)}, (): Crash => {
    const at = (['before call', 'after call'] as const)[below(3)];
    return at === undefined ? {beforeLine: below(size.lines)} : {at, call: below(size.calls)};
  });
}

async function verdict(crashed: Crashing, whole: string, crashes: readonly Crash[]): Promise<{deaths: number; wrong?: string}> {
  const end = await toTheEnd(crashed, crashes, {maxParallel: 4});
  const {events} = await crashed.pass.record();
  const deaths = events.filter(({type}) => type === 'run.resumed').length;
  const state = JSON.stringify(await endState(crashed));
  if (end.exitCode !== 0) return {deaths, wrong: `exit code ${end.exitCode}: ${end.stdout}`};
  if (state !== whole) return {deaths, wrong: state};
  const audit = await crashed.audit();
  return audit.exitCode === 0 && !/^ *[✖⚠○]/m.test(audit.stdout) ? {deaths} : {deaths, wrong: audit.stdout};
}

const whole = await cleanly(async finished => {
  const undisturbed = await crashing(finished);
  await undisturbed.release();
  return JSON.stringify(await endState(undisturbed));
});

const rows = new Map<Name, {releases: number; resumed: number; same: number}>();
const wrong: string[] = [];
let done = 0;
async function one(number: number): Promise<void> {
  const scenario = scenarios[number % scenarios.length] ?? 'healthy';
  const crashes = draw(numbers(number));
  const {deaths, wrong: how} = await cleanly(async finished => verdict(await crashing(finished, scenario), whole, crashes));
  const row = rows.get(scenario) ?? {releases: 0, resumed: 0, same: 0};
  rows.set(scenario, {releases: row.releases + 1, resumed: row.resumed + deaths, same: row.same + (how === undefined ? 1 : 0)});
  done += 1;
  if (done % 25 === 0) process.stderr.write(`${done} of ${count}\n`);
  if (how !== undefined) wrong.push(`number ${number}, ${scenario}, ${JSON.stringify(crashes)}:\n${how}`);
}

// Side by side: a flaky endpoint is mostly waited for.
const limit = pLimit(8);
await Promise.all(Array.from({length: count}, (_, number) => limit(() => one(number))));

process.stdout.write(
  table([
    ['endpoint', 'releases', 'resumed', 'same end'],
    ...[...rows].map(([scenario, {releases, resumed, same}]) => [scenario, String(releases), String(resumed), String(same)]),
  ]),
);
for (const each of wrong) process.stdout.write(`\n${each}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
