/** The screens before a run, each drawn from what is known at that moment. */
import {cleanup, render} from 'ink-testing-library';
import type {ComponentType} from 'react';
import {afterEach, describe, expect, test} from 'vitest';
import type {EnvironmentCard, KnownVersion} from '../../../src/release/form.ts';
import type {RunEvent} from '../../../src/release/events.ts';
import type {Check} from '../../../src/release/model.ts';
import {sceneOf} from '../../../src/views/tui/layout.ts';
import {remarks} from '../../../src/views/tui/lines/environment.ts';
import {railLines} from '../../../src/views/tui/lines/rail.ts';
import type {Scene, Size} from '../../../src/views/tui/scene.ts';
import {ComponentsScreen, componentRows} from '../../../src/views/tui/screens/components.tsx';
import {EnvironmentScreen} from '../../../src/views/tui/screens/environment.tsx';
import {PreflightScreen} from '../../../src/views/tui/screens/preflight.tsx';
import {StartingScreen} from '../../../src/views/tui/screens/starting.tsx';
import {VersionScreen} from '../../../src/views/tui/screens/version.tsx';
import {arranged} from '../../../src/views/tui/state/form.ts';
import {type Action, type Model, emptyModel, update} from '../../../src/views/tui/state/model.ts';
import {columnsOf} from '../../../src/views/text.ts';
import {passCards, survey} from './support/story.ts';

const wide = {columns: 100, rows: 30};
const now = Date.parse('2026-11-21T21:14:00Z');

afterEach(cleanup);

/** The lines of a screen; none is wider than it may be, and there are not more than fit. */
function drawn(View: ComponentType<{readonly scene: Scene}>, model: Model, size: Size = wide): readonly string[] {
  const scene = sceneOf(model, size, {now, frame: 0});
  const lines = (render(<View scene={scene} />).lastFrame() ?? '').split('\n');
  expect(lines.length).toBeLessThanOrEqual(scene.height);
  for (const line of lines) expect(columnsOf(line)).toBeLessThanOrEqual(scene.width);
  return lines;
}

function after(...actions: readonly Action[]): Model {
  return actions.reduce(update, emptyModel);
}

function opened(flags: {readonly environment?: string; readonly version?: string} = {}, presets = {}): Action {
  const {application, environments} = survey();
  return {do: 'form', action: {do: 'open', flags, application, environments, presets}};
}

function known(card: EnvironmentCard): Action {
  return {do: 'form', action: {do: 'known', card}};
}

describe('the environment screen', () => {
  const production: EnvironmentCard = {
    name: 'production',
    identity: '333333333333 as release-manager',
    runs: [
      {component: 'pass-core', version: '1.13.2'},
      {component: 'deposit-services', version: '1.13.2'},
      {component: 'nihms-loader', version: '1.13.1'},
    ],
    gates: [{env: 'staging', version: '1.14.0', open: true, since: '2026-11-21T19:14:00Z'}],
    lock: {is: 'frozen', who: 'jo on laptop', since: '2026-11-21T20:54:00Z', reason: 'audit week'},
    unfinished: 'run r7 (1.14.0) was interrupted in the middle of pass-core: publish',
  };
  const select: Action = {do: 'select', list: 'environments', row: 'production'};

  test('says in one row what stands in the way, and that components are on several versions', () => {
    const row = drawn(EnvironmentScreen, after(opened(), known(production))).find(line => line.includes('production'));
    expect(row).toMatch(
      /^ {2}production {3}1\.13\.2 \(2\) {2}frozen by jo on laptop 20 min ago {3}interrupted, resume it {3}mixed: ni…$/,
    );
    expect(
      remarks(production, now)
        .map(({text}) => text)
        .join(''),
    ).toMatch(/mixed: nihms-loader 1\.13\.1 {3}✔ staging: 1\.14\.0 verified 2 h ago$/);
  });

  test('shows all that is known of the selected one', () => {
    const lines = drawn(EnvironmentScreen, after(opened(), known(production), select));
    expect(lines.slice(lines.findIndex(line => line.startsWith('production')))).toEqual([
      'production · 333333333333 us-east-1',
      '',
      'credentials  333333333333 as release-manager',
      'runs         1.13.2   pass-core, deposit-services',
      '             1.13.1   nihms-loader',
      'gate         ✔ staging: 1.14.0 verified 2 h ago',
      'lock         frozen by jo on laptop 20 min ago: audit week',
      'unfinished   run r7 (1.14.0) was interrupted in the middle of pass-core: publish',
      '             next: deploy-wizard resume --env production',
    ]);
  });

  test('names a shut gate with its reason, and a lock that somebody has', () => {
    const gate = {env: 'staging', version: '1.14.0', open: false, found: 'it has been in staging for 20 min, it takes 2 h'};
    const lock = {is: 'held', who: 'ci on runner-7', since: '2026-11-21T21:02:00Z', work: 'release 1.14.1'} as const;
    const text = drawn(EnvironmentScreen, after(opened(), known({name: 'production', gates: [gate], lock}), select)).join('\n');
    expect(text).toContain(
      'gate         ○ staging: 1.14.0 not ready\n             it has been in staging for 20 min, it takes 2 h',
    );
    expect(text).toContain('lock         locked by ci on runner-7 12 min ago for release 1.14.1');
  });

  test('says which command gets credentials where there are none, and forgets it when it is asked anew', () => {
    const unreachable = {what: 'there are no AWS credentials', next: ['Run: chopaws --profile prod']};
    const model = after(opened(), known({name: 'production', unreachable}), select);
    const text = drawn(EnvironmentScreen, model).join('\n');
    expect(text).toMatch(/▸ production .*✖ credentials {3}Run: chopaws --profile prod/);
    expect(text).toContain('credentials  ✖ there are no AWS credentials\n             Run: chopaws --profile prod');
    expect(drawn(EnvironmentScreen, update(model, {do: 'form', action: {do: 'ask again'}})).join('\n')).not.toContain('chopaws');
  });

  test('keeps the list where there is little room', () => {
    const lines = drawn(EnvironmentScreen, after(opened(), known(production), select), {columns: 60, rows: 15});
    expect(lines.filter(line => /development|staging|▸ production/.test(line)).length).toBeGreaterThanOrEqual(3);
  });
});

describe('the version screen', () => {
  const environment = 'production';
  const looked: Action = {
    do: 'form',
    action: {do: 'looked', environment, cards: passCards, suggestions: [{version: '1.13.3', text: 'patch'}]},
  };
  const version = (version: string, more: Partial<KnownVersion> = {}): KnownVersion => ({
    version,
    images: {have: 6, of: 6},
    gates: [],
    ...more,
  });
  const found = (versions: readonly KnownVersion[], searched = true): Action => ({
    do: 'form',
    action: {do: 'versions', environment, versions, searched},
  });

  test('shows what exists below what is suggested, each with where it was found and how old it is', () => {
    const gates = [{env: 'staging', version: '1.14.0', open: true, since: '2026-11-21T19:14:00Z'}];
    const lines = drawn(
      VersionScreen,
      after(
        opened({environment}),
        looked,
        found([
          version('1.14.0', {taggedAt: '2026-11-19T21:14:00Z', pushedAt: '2026-11-19T21:20:00Z', gates}),
          version('1.12.0', {images: {have: 5, of: 6}, gates: [{env: 'staging', open: false}]}),
        ]),
      ),
    );
    expect(lines.slice(2, 6)).toEqual([
      '▸ 1.13.3  patch · no image, downgrade',
      '  1.14.0  tagged 2 d ago · 6 of 6 images, pushed 47 h ago · ✔ staging: verified 2 h ago',
      '  1.12.0  5 of 6 images · ○ staging: not ready, downgrade',
      '  other   type a version',
    ]);
  });

  test('adds nothing above the cursor: what is found early waits until there are suggestions', () => {
    const early = after(opened({environment}), found([version('1.14.0')], false));
    expect(drawn(VersionScreen, early).join('\n')).not.toContain('1.14.0');
    expect(drawn(VersionScreen, update(early, looked))[2]).toMatch(/^▸ 1\.13\.3/);
    expect(drawn(VersionScreen, update(early, looked)).join('\n')).toContain('looking for tags…');
  });

  test('expects no image of what is built here, and says that a version was increased already', () => {
    const sourceNote = 'increased, never released (deployed 0.7.1, none pushed, no git tag)';
    const cards = [{id: 'service', kind: 'terraform', needs: [], version: '0.7.1', source: '0.8.0', sourceNote}];
    const suggestions = [{version: '0.8.0', text: `what the source says already: ${sourceNote}`}];
    const lines = drawn(
      VersionScreen,
      after(
        opened({environment}),
        {do: 'form', action: {do: 'looked', environment, cards, suggestions}},
        found([version('0.7.1', {images: {have: 1, of: 1}})]),
      ),
    );
    expect(lines[2]).toContain('▸ 0.8.0  what the source says already: increased, never released');
    expect(lines.join('\n')).toContain(`\n${sourceNote}\n`);
  });
});

describe('the components screen', () => {
  const environment = 'production';
  const card = (id: string, ...needs: readonly string[]) => ({id, kind: 'ecs-service', needs, version: '1.13.2'});
  const cards = [card('core'), card('deposit', 'core'), card('loader', 'deposit'), card('notify', 'core'), card('web')];
  const model = (...more: readonly Action[]): Model =>
    after(
      opened({environment, version: '1.14.0'}, {backend: ['core', 'deposit']}),
      {do: 'form', action: {do: 'looked', environment, cards, suggestions: []}},
      ...more,
    );
  const filter = (text: string): Action => ({do: 'form', action: {do: 'filter', filter: text, filtering: true}});

  test('draws what waits for what', () => {
    expect(
      drawn(ComponentsScreen, model())
        .slice(2, 7)
        .map(line => line.slice(0, 16).trimEnd()),
    ).toEqual(['▸ [x] core', '  [x] ├ deposit', '  [x] │ └ loader', '  [x] └ notify', '  [x] web']);
  });

  test('what is there already is dim, and so is what is left out', () => {
    const {form} = update(model({do: 'form', action: {do: 'leave out', without: new Set(['notify'])}}), {
      do: 'form',
      action: {do: 'looked', environment, cards: [...cards, {...card('there'), version: '1.14.0'}], suggestions: []},
    });
    if (form === undefined) throw new Error('nothing is asked');
    const rows = componentRows(form, arranged(form), 'core', 100);
    const isDim = (id: string) => rows.flat().find(({text}) => text.trim() === id)?.dim === true;
    expect(['core', 'deposit', 'web', 'there', 'notify'].filter(isDim)).toEqual(['there', 'notify']);
  });

  test('shows only what the filter lets through, and says what it looks for', () => {
    const lines = drawn(ComponentsScreen, model(filter('lo')));
    expect(lines[2]).toBe('/ lo▏');
    expect(lines[3]).toMatch(/^▸ \[x\] loader /);
    expect(lines[4]).toBe('');
    expect(drawn(ComponentsScreen, model(filter('zz')))[2]).toBe('/ zz▏   nothing has that in its name');
  });

  test('names the preset that the chosen ones are', () => {
    const leave = (...without: readonly string[]): Action => ({do: 'form', action: {do: 'leave out', without: new Set(without)}});
    expect(drawn(ComponentsScreen, model(leave('loader', 'notify', 'web')))[0]).toMatch(/preset backend · 2 of 5 chosen$/);
    expect(drawn(ComponentsScreen, model(leave('notify', 'web')))[0]).not.toContain('preset');
  });

  test.each([{columns: 60, rows: 15}, {columns: 80, rows: 24}, wide])('keeps its columns at $columns × $rows', size => {
    const long = {...card('a-component-with-a-very-long-name-indeed-and-more', 'core'), version: '漢字'.repeat(20)};
    drawn(
      ComponentsScreen,
      update(model(), {do: 'form', action: {do: 'looked', environment, cards: [...cards, long], suggestions: []}}),
      size,
    );
  });
});

describe('the preflight screen', () => {
  const started: RunEvent = {
    type: 'run.started',
    schema: 1,
    run: 'r1',
    application: 'pass',
    environment: 'production',
    version: '1.14.0',
    components: [
      {id: 'deposit', kind: 'ecs-service', needs: []},
      {id: 'journal', kind: 'ecs-scheduled-task', needs: []},
    ],
    unattended: false,
    by: {user: 'jo', host: 'laptop'},
    tool: {version: '0.1.0', node: '24.0.0'},
    configPath: '/etc/deploy-wizard.config.yaml',
    config: null,
    allow: [],
  };
  const job = {component: '*', phase: 'preflight'} as const;
  const check = (claim: string, status: Check['status'], more: Partial<Check> = {}): RunEvent => ({
    type: 'check',
    job,
    check: {claim, text: claim, status, found: '', ...more},
  });
  const at = new Date(now).toISOString();
  const model = (...events: readonly RunEvent[]): Model =>
    after(...[started, ...events].map((event): Action => ({do: 'event', event: {...event, at}})));
  const asked: Action = {do: 'asked', question: {id: 'q', about: 'preflight', failed: ['x']}};

  test('groups the checks as they come in, and says how many are still to come', () => {
    const lines = drawn(
      PreflightScreen,
      model(
        {type: 'job.started', job},
        check('image ecr/core:1.14.0', 'passed', {found: 'sha256:71be'}),
        check('aws session', 'passed'),
        check('deposit service', 'passed'),
        check('journal definition', 'passed'),
        check('image ecr/ui:1.14.0', 'passed'),
        {type: 'job.progress', job, progress: {text: '', done: 5, total: 17}},
      ),
    );
    expect(lines[0]).toMatch(/5 of 17$/);
    expect(lines.slice(2).map(line => line.slice(0, 32).trimEnd())).toEqual([
      'account    ✔ aws session',
      'images     ✔ image ecr/core:1.14',
      '           ✔ image ecr/ui:1.14.0',
      'services   ✔ deposit service',
      'loaders    ✔ journal definition',
      '           ⠋ looking…',
    ]);
  });

  test('opens a failure: what was found, what it means, what to do; first, once it is a question', () => {
    const events = [
      check('aws session', 'passed'),
      check('deposit service', 'failed', {
        found: 'another deployment is in flight',
        next: 'Wait for it.',
        see: 'aws ecs describe-services',
      }),
    ];
    const opened = [
      'services   ✖ deposit service',
      '             found   another deployment is in flight',
      '             means   It cannot be released to as it stands.',
      '             next    Wait for it.',
      '             look    aws ecs describe-services',
    ];
    expect(drawn(PreflightScreen, model(...events)).slice(3, 8)).toEqual(opened);
    expect(drawn(PreflightScreen, update(model(...events), asked)).slice(2, 7)).toEqual(opened);
  });

  test.each([
    ['promotion staging', 'promotion'],
    ['checklist release-notes', 'checklist'],
    ['tag https://example.edu/core.git 1.14.0', 'repositories'],
  ])('says what would let the gate "%s" through', (claim, override) => {
    const text = drawn(PreflightScreen, update(model(check(claim, 'failed')), asked)).join('\n');
    expect(text).toContain(`gates      ✖ ${claim}`);
    expect(text).toContain(`or      start again with --override ${override} --reason <text>`);
  });

  test('shows what was let through as waived', () => {
    const text = drawn(
      PreflightScreen,
      model(
        {type: 'waived', job, claim: 'promotion staging', what: 'it', reason: 'a hotfix', by: 'jo@laptop'},
        check('promotion staging', 'warned', {found: 'never released there; let through by jo@laptop: a hotfix'}),
      ),
    ).join('\n');
    expect(text).toContain(
      'gates      ! promotion staging\n             waived  never released there; let through by jo@laptop: a hotfix',
    );
    expect(text).not.toContain('--override');
  });

  test('counts what could not be looked at by itself', () => {
    const lines = drawn(
      PreflightScreen,
      model(check('aws session', 'failed'), check('deposit service', 'open', {found: 'not looked at'})),
    );
    expect(lines[0]).toMatch(/2 of 2, 1 failed, 1 not looked at$/);
  });
});

test('before anything is heard of the run', () => {
  expect(drawn(StartingScreen, emptyModel)).toEqual(['⠋ starting…']);
});

describe('the rail of the form', () => {
  const stations = (width: number): string =>
    railLines(after(opened()), width)[1]
      ?.map(({text}) => text)
      .join('') ?? '';

  test('is whole where there is room, and closes up where there is less', () => {
    expect(stations(120)).toContain('○ bump  ○ build  ○ push  ○ plan');
    expect(stations(98)).toBe('● environment ○ version ○ components ○ preflight ○ prepare ○ plan ○ confirm ○ apply ○ verify');
    expect(stations(78)).toMatch(/^● environment {2}○ version .* …$/);
    for (const width of [58, 78, 98, 118]) expect(columnsOf(stations(width))).toBeLessThanOrEqual(width);
  });
});
