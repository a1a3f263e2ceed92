/** The views of plain text, on what real releases say. */
import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import type {TimedEvent} from '../../src/release/events.ts';
import type {AnyComponentPlan, Check, ComponentEnd, Plan} from '../../src/release/model.ts';
import {flags, risks} from '../../src/release/words.ts';
import {emptyRun, reduce} from '../../src/release/reducer.ts';
import {type AuditLine, auditLines} from '../../src/views/audit.ts';
import {linesView, planLines} from '../../src/views/lines.ts';
import {supportsLinks} from '../../src/views/links.ts';
import {jsonText, ndjsonLine} from '../../src/views/ndjson.ts';
import {summary} from '../../src/views/summary.ts';
import {checkMark, duration, endMark, linesFor, marks, shortFingerprint, totals, versions} from '../../src/views/words.ts';
import {type Going, type Thing, type World, fails, losesAnswer, testRelease} from '../support/world.ts';

const things = {
  core: {prepares: ['bump', 'push'], requires: ['session'], takes: 3000, within: 60_000},
  service: {needs: ['core'], risk: 'outage', flags: ['downgrade']},
  loader: {},
} satisfies Record<string, Thing>;

/** The events of a release to those things. */
async function told(
  prepare: (world: World) => void = () => undefined,
  ...processes: readonly Going[]
): Promise<readonly TimedEvent[]> {
  const release = testRelease(things);
  prepare(release.world);
  for (const going of processes.length === 0 ? [{}] : processes) await release.go(going);
  return release.record().events;
}

/** As somebody reads it in the log of a CI job. */
function log(
  events: readonly TimedEvent[],
  {env = {}, planOnly = false}: {env?: Record<string, string>; planOnly?: boolean} = {},
): string {
  return events.flatMap(linesView(env, planOnly)).join('\n');
}

function end(events: readonly TimedEvent[], env: Record<string, string> = {}): string {
  const record = {folder: '/state/pass/production/r1', hash: 'abcdef0123456789abcdef'};
  const commands = [
    {label: 'Again', command: 'deploy-wizard --yes --env production'},
    {label: 'Check', command: 'deploy-wizard audit'},
  ];
  return summary(events.reduce(reduce, emptyRun), {env, record, commands}).join('\n');
}

function part(component: string, more: Partial<AnyComponentPlan>): AnyComponentPlan {
  return {
    component,
    kind: 'terraform',
    to: '1.14.0',
    changes: [],
    notes: [],
    fingerprint: 'f',
    payload: null,
    ...more,
  };
}

const good = await told(world => {
  world.running.set('loader', {version: '1.14.0', since: 0});
  world.faults.set('core/push', [losesAnswer]);
});

describe('the lines of a release', () => {
  test('that goes well', () => {
    expect(log(good)).toBe(`things 1.14.0 → production   run r1
● preflight: 1 checks
  ✔ session is there: it is
✔ preflight: all requirements are met (0 s)
? start bump: core: bump it
● core bump
✔ core bump: bump 1.14.0 (0 s)
? start push: core: push it
● core push
  core push: push had happened already
✔ core push: push core:1.14.0 (0 s)
● core plan
● service plan
● loader plan
✔ core plan: core becomes 1.14.0 (0 s)
✔ service plan: service becomes 1.14.0 (0 s)
✔ loader plan: nothing to do (0 s)

Plan 12de d34b: 1 update, 1 outage
  core   1.13.2 → 1.14.0   update
    update: core becomes 1.14.0
  service   1.13.2 → 1.14.0   outage
    outage: service becomes 1.14.0   [downgrade]
  loader   1.14.0   nothing to do
  If one fails, it is left as it is (--yes) or you decide. The way back: core to 1.13.2; service to 1.13.2

? approve plan 12de d34b
✔ approved by operator (update, outage, downgrade), plan 12de d34b
✔ confirm: approved by operator (0 s)
● core apply
● loader verify
  ✔ loader: loader runs 1.14.0: runs 1.14.0
✔ loader verify: runs 1.14.0 (0 s)
✔ core apply: change 1.14.0 (0 s)
● core verify
  ● core: core runs 1.14.0: not yet
  ✔ core: core runs 1.14.0: runs 1.14.0
✔ core verify: runs 1.14.0 (3 s)
● service apply
✔ service apply: change 1.14.0 (0 s)
● service verify
  ✔ service: service runs 1.14.0: runs 1.14.0
✔ service verify: runs 1.14.0 (0 s)`);
  });

  test('whose requirements are not met', async () => {
    expect(log(await told(world => world.requirements.set('session', ['failed'])))).toBe(`things 1.14.0 → production   run r1
● preflight: 1 checks
  ✖ session is there: it is not
      get session
? a requirement is not met: try again
✖ preflight: a requirement is not met: session is there: it is not (0 s)
    Nothing has been changed.
    get session`);
  });

  test('that fails for one thing: what is skipped for that is said', async () => {
    const lines = log(await told(world => world.faults.set('core/change', [fails])));
    expect(lines).toContain(`✖ core apply: it was refused (0 s)
    ask somebody
? core apply failed: retry or rollback or rollback-all or leave
`);
    expect(lines).toContain('○ service apply: core is not verified (failed)');
  });

  test('that is declined: why, and what is taken back', async () => {
    const lines = log(await told(undefined, {answers: question => (question.about === 'approval' ? 'no' : undefined)}));
    expect(lines).toMatch(
      /\? approve plan 443d eb62\n✖ refused: the answer was not exactly "production"\n {2}core bump: taking back bump$/,
    );
  });

  test('that is declined while somebody else has changed what was edited', async () => {
    const release = testRelease(things);
    await release.go({
      answers: question => {
        if (question.about !== 'approval') return undefined;
        release.world.files.set('core', '9.9.9');
        return 'no';
      },
    });
    const lines = log(release.record().events);
    expect(lines).toMatch(
      /✖ core bump: bump it: this could not be taken back. the version file of core was changed by somebody else \(/,
    );
    expect(end(release.record().events)).toContain(
      '  core bump: bump it: this could not be taken back. the version file of core was changed by somebody else',
    );
  });

  test('that was interrupted and goes on', async () => {
    const lines = log(await told(undefined, {crash: {at: 'after call', step: 'service/change'}}, {}));
    expect(lines).toContain('\nresumed\n● preflight: 1 checks\n');
    expect(lines).toContain('  service apply: change had happened already\n✔ service apply: change 1.14.0 (0 s)');
  });

  test('that is asked again because the world has changed', async () => {
    const release = testRelease({core: {}});
    await release.go({
      answers: question => {
        if (question.about === 'approval' && !question.again) release.world.running.set('core', {version: '1.13.9', since: 0});
        return undefined;
      },
    });
    expect(log(release.record().events)).toMatch(/\? approve plan \w{4} \w{4} \(the world has changed since it was last asked\)/);
  });

  test('of which nobody knows whether a step happened', async () => {
    const release = testRelease({core: {blind: true}});
    release.world.faults.set('core/change', [losesAnswer]);
    await release.go();
    const lines = log(release.record().events);
    expect(lines).toContain('? change it: it was begun and its answer is missing. Looking cannot tell whether it happened.');
    expect(lines).toContain('    It may have happened or not; nothing was sent a second time.');
  });

  test('that only plans: the plan is the result, and not said twice', async () => {
    const events = await told(undefined, {planOnly: true});
    expect(log(events, {planOnly: true})).not.toContain('Plan ');
    expect(log(events)).toContain('Plan 443d eb62: 2 update, 1 outage');
  });

  test('on a terminal that has no such signs', () => {
    const lines = log(good, {env: {LANG: 'C'}});
    expect(lines).toContain('things 1.14.0 -> production   run r1\n.. preflight: 1 checks\n  ok session is there: it is\n');
    expect(lines).not.toMatch(/[^\n -~]/);
  });
});

describe('a plan', () => {
  const plan: Plan = {
    fingerprint: 'b41f77c2dead',
    components: [
      part('service', {
        from: '1.13.2',
        changes: [
          {
            id: 'a',
            risk: 'outage',
            summary: 'aws_instance.default is destroyed and created',
            flags: ['unlisted', 'downgrade'],
            details: [
              {name: 'ami', before: 'ami-1', after: 'ami-2'},
              {name: 'ip', before: '10.0.0.1', after: null},
              {name: 'tag', before: null, after: '1.14.0'},
            ],
          },
        ],
        notes: ['image known after build'],
      }),
      part('loader', {}),
    ],
  };

  test('as text: every change, old and new', () => {
    expect(planLines(plan).join('\n')).toBe(`
Plan b41f 77c2: 1 outage
  service   1.13.2 → 1.14.0   outage
    outage: aws_instance.default is destroyed and created   [unlisted, downgrade]
      ami: ami-1 → ami-2
      ip: 10.0.0.1 → (none)
      tag: 1.14.0
    image known after build
  loader   1.14.0   nothing to do
`);
  });

  test('in a few words: how many of each risk, worst last', () => {
    const change = {id: 'c', summary: '', details: [], flags: []};
    const of = (...all: readonly (typeof risks)[number][]): Plan => ({
      fingerprint: '',
      components: [part('x', {changes: all.map(risk => ({...change, risk}))})],
    });
    expect(totals(of('destroy', 'update', 'create', 'update', 'none'))).toBe('1 create, 2 update, 1 destroy');
    expect(totals(of('none'))).toBe('nothing');
    expect(totals(of())).toBe('nothing');
  });
});

describe('the summary', () => {
  test('of a release that went well', () => {
    expect(end(good)).toBe(`
things 1.14.0 → production: passed in 3 s, 3 of 3 components on 1.14.0

  ✔ core      1.13.2 → 1.14.0   verified: runs 1.14.0 (3 s)
  ✔ service   1.13.2 → 1.14.0   verified: runs 1.14.0
  ✔ loader    1.14.0            unchanged: runs 1.14.0

Record   /state/pass/production/r1
Head     abcdef0123456789abcdef
Again    deploy-wizard --yes --env production
Check    deploy-wizard audit`);
  });

  test('of one that failed: what, why and what to do', async () => {
    expect(end(await told(world => world.faults.set('core/change', [fails]))))
      .toContain(`things 1.14.0 → production: FAILED in 0 s, 1 of 3 components on 1.14.0 (loader); failed: core; not started: service

  ✖ core      1.13.2 → 1.14.0   failed: it was refused
  ○ service   1.13.2 → 1.14.0   not started: core is not verified (failed)
  ✔ loader    1.13.2 → 1.14.0   verified: runs 1.14.0

  core apply: it was refused
      ask somebody

Record `);
  });

  test('of one that preflight ended', async () => {
    expect(end(await told(world => world.requirements.set('session', ['failed']))))
      .toContain(`FAILED in 0 s, a requirement is not met: session is there: it is not. Nothing has been changed.

  ✖ session is there: it is not
      get session

Record `);
  });

  test('of one that was declined', async () => {
    expect(end(await told(undefined, {answers: question => (question.about === 'approval' ? '' : undefined)}))).toContain(
      'things 1.14.0 → production: REFUSED in 0 s, the plan was declined. The environment was not touched.',
    );
  });

  test('names the digests that run now, whole, after those that the plan had seen; what was down; what is open by hand', () => {
    const digest = `sha256:71be5f00aa12${'0'.repeat(52)}`;
    const details = [
      {name: 'core digest', before: 'sha256:9f3c41aa0b12…', after: 'sha256:71be5f00aa12…'},
      {name: 'tag', before: null, after: '1.14.0'},
    ];
    const change = {id: 'a', risk: 'update' as const, summary: 'core changes', details, flags: []};
    const state = good.reduce(reduce, emptyRun);
    const at = '2026-01-15T12:00:00.000Z';
    const events: readonly TimedEvent[] = [
      {type: 'plan.ready', at, plan: {fingerprint: 'f', components: [part('core', {changes: [change]})]}},
      {
        type: 'observed',
        at,
        component: 'core',
        state: null,
        digests: {'ecr/pass-core': digest, 'ecr/pass-ui': digest.replace('7', '8')},
      },
    ];
    const told = events.reduce(reduce, state);
    const openItems = [{id: 'acceptance', text: 'Acceptance tests run', command: 'deploy-wizard tick acceptance'}];
    const lines = summary(told, {env: {}, commands: [], openItems});
    expect(lines).toContain(`      pass-core  sha256:9f3c41aa0b12… → ${digest}`);
    expect(lines).toContain(`      pass-ui  ${digest.replace('7', '8')}`);
    expect(lines.slice(-2)).toEqual(['Open     acceptance: Acceptance tests run', '         deploy-wizard tick acceptance']);
  });

  test('has its URLs as links where the terminal shows them, and the plain URL all the same', () => {
    const state = good.reduce(reduce, emptyRun);
    const note = 'https://pass.example.edu/version answers 1.14.0 (see https://a.example/b).';
    const finished = state.finished && {
      ...state.finished,
      components: state.finished.components.map(end => ({...end, note: `${note}\u001B]8;;https://evil.example\u0007x`})),
    };
    const told = {...state, ...(finished && {finished})};
    const text = (links: boolean) => summary(told, {env: {}, commands: [], links}).join('\n');
    const linked = (url: string) => `\u001B]8;;${url}\u001B\\${url}\u001B]8;;\u001B\\`;
    expect(text(true)).toContain(`${linked('https://pass.example.edu/version')} answers`);
    expect(text(true)).toContain(`(see ${linked('https://a.example/b')}).`);
    expect(text(true)).not.toContain('\u001B]8;;https://evil.example');
    expect(text(false)).not.toContain('\u001B');
    expect([{TERM_PROGRAM: 'WezTerm'}, {VTE_VERSION: '7600'}, {FORCE_HYPERLINK: '1', CI: '1'}].map(supportsLinks)).toEqual([
      true,
      true,
      true,
    ]);
    expect(
      [{}, {TERM: 'linux', WT_SESSION: 'x'}, {VTE_VERSION: '4999'}, {TERM_PROGRAM: 'vscode', CI: '1'}].map(supportsLinks),
    ).toEqual([false, false, false, false]);
  });

  test('keeps what went wrong apart from the record, also where no component came to an end', async () => {
    const failed = await told(world => world.faults.set('core/push', [fails]));
    const lines = end(failed).split('\n');
    expect(lines.join('\n')).not.toContain('\n\n\n');
    expect(lines[lines.findIndex(line => line.startsWith('Record')) - 1]).toBe('');
  });

  test('says what the signs of a downtime are', () => {
    const state = good.reduce(reduce, emptyRun);
    const components = state.finished?.components.map(one => ({...one, downtime: {ms: 2000, probes: '=xx+'}})) ?? [];
    const measured = {...state, ...(state.finished && {finished: {...state.finished, components}})};
    expect(summary(measured, {env: {}, commands: []})).toContain(
      '      down 2 s  =xx+  (a sign a probe: = as before, x down, + new)',
    );
  });

  test('of a run that is not over is none', () => {
    expect(summary(good.slice(0, -1).reduce(reduce, emptyRun), {env: {}, commands: []})).toEqual([]);
    expect(summary(emptyRun, {env: {}, commands: []})).toEqual([]);
  });
});

describe('an audit', () => {
  const check = (status: AuditLine['status'], more: Partial<AuditLine> = {}): AuditLine => ({
    claim: 'c',
    text: `it is ${status}`,
    status,
    found: 'seen',
    at: '2026-01-15T12:03:04.000Z',
    ...more,
  });

  test('has a mark for every line, how to see it, and what to do where something is wrong', () => {
    const evidence = ['stopped: out of memory'];
    const groups = [
      {title: 'record r1', checks: [check('passed', {evidence, next: 'nothing', see: 'deploy-wizard log'})]},
      {
        title: 'core   ecs-service',
        checks: [check('failed', {evidence, next: 'look at the log'}), check('warned'), check('open', {next: 'tick it'})],
      },
    ];
    expect(auditLines({}, groups).join('\n')).toBe(`
record r1
  ✔ it is passed: seen
      12:03:04 deploy-wizard log

core   ecs-service
  ✖ it is failed: seen
      stopped: out of memory
      look at the log
  ⚠ it is warned: seen
  ○ it is open: seen
      tick it`);
    expect(auditLines({LC_ALL: 'POSIX'}, groups).join('\n')).not.toMatch(/[^\n -~]/);
  });
});

describe('JSON, a line an event', () => {
  test('is the event itself', () => {
    for (const event of good) {
      const line = ndjsonLine(event);
      expect(line).not.toContain('\n');
      expect(JSON.parse(line)).toEqual(event);
    }
  });
});

describe('words', () => {
  test.each([
    [0, '0 s'],
    [-5, '0 s'],
    [499, '0 s'],
    [500, '1 s'],
    [59_499, '59 s'],
    [59_500, '1 min'],
    [192_000, '3 min 12 s'],
    [3_599_499, '59 min 59 s'],
    [3_600_000, '1 h 0 min'],
    [3_900_000, '1 h 5 min'],
    [90_000_000, '25 h 0 min'],
  ])('%i ms are %s', (ms, words) => {
    expect(duration(ms)).toBe(words);
  });

  test('versions, fingerprints, marks', () => {
    expect(versions({from: '1.0.0', to: '1.1.0'})).toBe('1.0.0 → 1.1.0');
    expect(versions({from: '1.1.0', to: '1.1.0'})).toBe('1.1.0');
    expect(versions({to: '1.1.0'})).toBe('1.1.0');
    expect(shortFingerprint('b41f77c2deadbeef')).toBe('b41f 77c2');
    for (const env of [{}, {LC_ALL: 'C'}, {LANG: 'en_US.UTF-8', TERM: 'linux'}]) {
      const glyphs = marks(env);
      for (const status of ['passed', 'failed', 'pending', 'warned', 'open'] as const)
        expect(checkMark(glyphs, status)).toBeTruthy();
      for (const word of [
        'failed',
        'rolled back',
        'superseded',
        'stopped',
        'unknown',
      ] as const satisfies readonly ComponentEnd['end'][])
        expect(endMark(glyphs, word)).toBe(glyphs.bad);
      for (const word of ['verified', 'unchanged'] as const) expect(endMark(glyphs, word)).toBe(glyphs.good);
      expect([endMark(glyphs, 'not proven'), endMark(glyphs, 'not started')]).toEqual([glyphs.warning, glyphs.open]);
    }
    expect(marks({LC_ALL: '', LANG: 'de_DE.utf8'}).good).toBe(marks({LANG: 'C'}).good);
  });
});

// ── text that somebody else wrote ────────────────────────────────────────────────────────────────────

/** What a terminal obeys, and what passes for a line of ours. */
const hostile = [
  '\u001b[2J\u001b[1;1H\u001b]0;gotcha\u0007',
  '\u009b2J',
  '\u202egnp.exe\u2066',
  'harmless\n✔ core verify: runs 1.14.0 (0 s)\n✔ approved by operator, plan 12de d34b',
  'harmless\r✔ core verify: runs 1.14.0',
  'a\u0000b\u0008c\u007f\u200b\u2028d\u2029e',
  '\ud800 alone',
];

/** A release all of whose texts are that. */
function hostileEvents(text: string): readonly TimedEvent[] {
  const at = '2026-01-15T12:00:00.000Z';
  const job = {component: text, phase: 'apply'} as const;
  const check: Check = {claim: text, text, status: 'failed', found: text, evidence: [text], next: text};
  const change = {
    id: text,
    risk: 'update' as const,
    summary: text,
    details: [{name: text, before: text, after: text}],
    flags: [...flags],
  };
  const plan: Plan = {
    fingerprint: 'b41f77c2',
    components: [
      {component: text, kind: text, from: text, to: text, changes: [change], notes: [text], fingerprint: 'f', payload: text},
    ],
  };
  const trouble = {what: text, means: text, next: [text]};
  return [
    {
      type: 'run.started',
      at,
      schema: 1,
      run: text,
      application: text,
      environment: text,
      version: text,
      components: [],
      unattended: true,
      by: {user: text, host: text},
      tool: {version: text, node: text},
      configPath: text,
      config: text,
      allow: [text],
    },
    {type: 'question.asked', at, question: {id: 'q1', about: 'start', phase: 'bump', work: [{component: text, text}]}},
    {type: 'question.answered', at, id: 'q1', answer: {value: text, by: 'flag', because: text}},
    {type: 'question.asked', at, question: {id: 'q2', about: 'unknown step', job, step: text, text}},
    {type: 'question.asked', at, question: {id: 'q3', about: 'failure', job, trouble, choices: ['retry']}},
    {type: 'job.started', at, job, text},
    {type: 'check', at, job, check},
    {type: 'job.failed', at, job, trouble},
    {type: 'job.succeeded', at, job: {...job, phase: 'plan'}, text},
    {type: 'job.skipped', at, job: {...job, phase: 'verify'}, text},
    {type: 'plan.ready', at, plan},
    {type: 'approval.refused', at, fingerprint: 'b41f77c2', because: text},
    {type: 'intent', at, job, step: text, request: text, undo: true},
    {type: 'effect', at, job, step: text, adopted: true, result: {is: 'done', value: text}},
    {
      type: 'run.finished',
      at,
      outcome: 'failed',
      exitCode: 1,
      text,
      touched: true,
      components: [{component: text, kind: text, from: text, to: text, end: 'failed', note: text}],
    },
  ];
}

const obeyed = /[\p{Cc}\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/u;

describe('text that somebody else wrote', () => {
  const outputs = (text: string): readonly string[] => {
    const events = hostileEvents(text);
    const state = events.reduce(reduce, emptyRun);
    return [
      ...events.flatMap(linesView({}, false)),
      ...summary(state, {env: {}, commands: []}),
      ...auditLines({}, [
        {
          title: text,
          checks: [{claim: text, text, status: 'failed', found: text, evidence: [text], next: text, see: text, at: text}],
        },
      ]),
    ];
  };

  test.each(hostile)('%j: nothing of it moves a cursor or turns a line around', text => {
    for (const line of outputs(text)) expect(line).not.toMatch(obeyed);
  });

  test('none of it passes for a line of ours', () => {
    const forged = '✔ core verify: runs 1.14.0';
    for (const text of hostile) {
      for (const line of outputs(text)) {
        expect(line).not.toMatch(/^\s*✔ (core verify|approved)/);
        if (line.includes(forged) && !line.includes('harmless')) expect(line).toMatch(/^ {4,}\| /);
      }
    }
  });

  test('in JSON is escaped, and comes out of it as it was', () => {
    for (const text of hostile) {
      for (const event of hostileEvents(text)) {
        const line = ndjsonLine(event);
        expect(line).not.toMatch(/[\p{Cc}\u2028-\u202e\u2066-\u2069]/u);
        expect(JSON.parse(line)).toEqual(event);
      }
      // The same in what a command answers.
      const answer = jsonText({[text]: [`##[add-mask]${text}`]});
      expect(answer.replaceAll('\n', '')).not.toMatch(/##\[|[\p{Cc}\u2028-\u202e\u2066-\u2069]/u);
      expect(JSON.parse(answer)).toEqual({[text]: [`##[add-mask]${text}`]});
    }
  });

  test('whatever it is', {timeout: 30_000}, () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary', maxLength: 30}), text => {
        for (const line of outputs(text)) expect(line).not.toMatch(obeyed);
        for (const event of hostileEvents(text)) expect(JSON.parse(ndjsonLine(event))).toEqual(event);
      }),
      {numRuns: 150},
    );
  });

  test('of several lines stays readable, and stands apart', () => {
    expect(linesFor({})('  ✖ build: it ended with exit code 1.\nstep 3\n\n  indented')).toEqual([
      '  ✖ build: it ended with exit code 1.',
      '      | step 3',
      '      |',
      '      |   indented',
    ]);
  });
});
