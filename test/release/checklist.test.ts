import {describe, expect, test} from 'vitest';
import {type Past, type Requirement, judgePromotion, timeInWords} from '../../src/release/checklist.ts';
import type {Tick, Trace} from '../../src/release/standing.ts';

const hour = 3_600_000;
const at = (hours: number) => new Date(Date.UTC(2026, 0, 15) + hours * hour).toISOString();
const now = Date.parse(at(24));

/** What a run said of one component, `hours` into the day; newest first is how they are read. */
const trace = (hours: number, version: string, more: Partial<Trace> = {}): Trace => ({
  run: `run-${hours}`,
  kind: 'release',
  began: at(hours - 0.1),
  at: at(hours),
  by: 'jo',
  component: 'core',
  version,
  end: 'verified',
  note: '200',
  digests: {core: 'sha256:a'},
  waived: [],
  ...more,
});
const tick = (hours: number, item = 'acceptance'): Tick => ({
  item,
  version: '1.14.0',
  at: at(hours),
  by: {user: 'al', host: 'desk'},
});

const staging: Requirement = {env: 'staging', ticks: ['acceptance'], for: 4 * hour};

function judge(
  traces: readonly Trace[],
  more: {past?: Partial<Past>; digest?: string | undefined; components?: readonly string[]; now?: number} = {},
) {
  const digest = 'digest' in more ? more.digest : 'sha256:a';
  const digests = new Map((more.components ?? ['core']).map(id => [id, new Map([['core', digest]])] as const));
  const past = {traces, ticks: [tick(11)], before: new Set<string>(), ...more.past};
  const {reasons, since} = judgePromotion(staging, {version: '1.14.0', digests}, past, more.now ?? now);
  return {found: reasons.map(reason => reason.found), next: reasons.map(reason => reason.next), since};
}

describe('a version may be promoted', () => {
  test('when it was verified there, with the same image, ticked, and has been there for long enough', () => {
    expect(judge([trace(10, '1.14.0'), trace(1, '1.13.2')])).toMatchObject({found: [], since: at(10)});
  });

  test('when it was found as it should be once more: what counts is since when', () => {
    const again = trace(23, '1.14.0', {end: 'unchanged'});
    expect(judge([again, trace(10, '1.14.0'), trace(1, '1.13.2')])).toMatchObject({found: [], since: at(10)});
  });

  test('when a newer version has come since, and it had been there for long enough before', () => {
    expect(judge([trace(20, '1.15.0'), trace(10, '1.14.0')]).found).toEqual([]);
  });

  test('unless a later record cannot be relied on: it may be how it was taken back', () => {
    const traces = [trace(10, '1.14.0', {run: '2026-01-15T10'})];
    expect(judge(traces, {past: {unread: ['2026-01-15T09']}}).found).toEqual([]);
    expect(judge(traces, {past: {unread: ['2026-01-15T11', '2026-01-15T09']}}).found).toEqual([
      'whether it was taken back since cannot be told: the record of run 2026-01-15T11 cannot be relied on',
    ]);
  });

  test('when a newer version was tried and taken back', () => {
    expect(judge([trace(12, '1.15.0', {end: 'rolled back'}), trace(10, '1.14.0')]).found).toEqual([]);
  });
});

describe('a version may not be promoted', () => {
  const other = {component: 'loader', digests: {}};
  test.each([
    ['it was never there', [trace(10, '1.13.2')], {}, 'core: 1.14.0 was never released to staging'],
    [
      'a component of it was never there',
      [trace(10, '1.14.0')],
      {components: ['core', 'loader']},
      'loader: 1.14.0 was never released to staging',
    ],
    [
      'it failed there',
      [trace(10, '1.14.0', {end: 'failed', note: 'out of memory'})],
      {},
      'core: its release to staging ended failed (run run-10): out of memory',
    ],
    [
      'nothing proved it',
      [trace(10, '1.14.0', {end: 'not proven', note: 'verify: none'})],
      {},
      'core: its release to staging ended not proven (run run-10): verify: none',
    ],
    [
      'it failed when it was released once more',
      [trace(12, '1.14.0', {end: 'failed', note: 'x'}), trace(10, '1.14.0')],
      {},
      'core: its release to staging ended failed (run run-12): x',
    ],
    [
      'it was taken back',
      [trace(20, '1.13.2', {kind: 'rollback'}), trace(10, '1.14.0')],
      {},
      `core: staging was taken back from 1.14.0 to 1.13.2 since (run run-20, ${at(20)})`,
    ],
    [
      'an older version was released over it',
      [trace(20, '1.13.2'), trace(10, '1.14.0')],
      {},
      `core: staging was taken back from 1.14.0 to 1.13.2 since (run run-20, ${at(20)})`,
    ],
    [
      'it was only tried',
      [trace(10, '1.14.0', {end: 'rolled back'})],
      {},
      `core: 1.14.0 was taken back in staging (run run-10, ${at(10)})`,
    ],
    [
      'somebody let a check of it through',
      [trace(10, '1.14.0', {waived: [{what: 'core http: 503', reason: 'known', by: 'al'}]})],
      {},
      'core: in staging al let through: core http: 503 (known)',
    ],
    [
      'the tag is another image here',
      [trace(10, '1.14.0')],
      {digest: 'sha256:b'},
      'core: core:1.14.0 is another image here than in staging: sha256:b, not sha256:a',
    ],
    ['the image is not here', [trace(10, '1.14.0')], {digest: undefined}, 'core: core:1.14.0 is not in the registry here'],
    [
      'nobody knows which image it was',
      [trace(10, '1.14.0', {digests: {}})],
      {},
      'core: the record of staging does not say which image core:1.14.0 was (run run-10)',
    ],
    ['an item is not ticked', [trace(10, '1.14.0')], {past: {ticks: []}}, 'acceptance is not ticked in staging'],
    [
      'an item was ticked for what was there before',
      [trace(10, '1.14.0')],
      {past: {ticks: [tick(9)]}},
      `acceptance was ticked in staging before this was there (${at(9)})`,
    ],
    [
      'another image of it has been there since, which nobody has looked at',
      [trace(15, '1.14.0'), trace(10, '1.14.0', {digests: {core: 'sha256:old'}})],
      {},
      `acceptance was ticked in staging before this was there (${at(11)})`,
    ],
    [
      'it left too early',
      [trace(12, '1.15.0'), trace(10, '1.14.0')],
      {},
      'it was in staging for 2 h only, until 1.15.0 came (run run-12); it takes 4 h',
    ],
  ] as const)('when %s', (_when, traces, more, found) => {
    expect(judge(traces, more).found).toEqual([found]);
  });

  test('yet: and it says when it will be', () => {
    expect(judge([trace(10, '1.14.0')], {now: Date.parse(at(10.8))})).toMatchObject({
      found: expect.arrayContaining(['it has been in staging for 48 min, it takes 4 h']),
      next: expect.arrayContaining(['It is open in 3 h 12 min.']),
    });
  });

  test('and says how to tick what is open, and names together what has one reason', () => {
    const both = [trace(10, '1.13.2'), trace(10, '1.13.2', other)];
    expect(judge(both, {components: ['core', 'loader'], past: {ticks: []}})).toMatchObject({
      found: ['core, loader: 1.14.0 was never released to staging', 'acceptance is not ticked in staging'],
      next: [
        'Release it there first: deploy-wizard --env staging --release 1.14.0',
        'deploy-wizard tick acceptance --env staging --release 1.14.0',
      ],
    });
  });

  test('an item that is ticked before a release may be older than it', () => {
    expect(judge([trace(10, '1.14.0')], {past: {ticks: [tick(1)], before: new Set(['acceptance'])}}).found).toEqual([]);
  });
});

test.each([
  [1000, '1 s'],
  [59_001, '1 min'],
  [3 * hour + 12 * 60_000, '3 h 12 min'],
  [4 * hour, '4 h'],
  [52 * hour, '2 d 4 h'],
])('%i milliseconds are %s', (ms, words) => {
  expect(timeInWords(ms)).toBe(words);
});
