/** Screens and parts by themselves, as Ink draws them in its own test renderer; stories are told in the other files. */
import {Box} from 'ink';
import {cleanup, render} from 'ink-testing-library';
import {afterEach, expect, test} from 'vitest';
import {sceneOf} from '../../../src/views/tui/layout.ts';
import {AsciiContext, Lines} from '../../../src/views/tui/parts/lines.tsx';
import {isTooSmall} from '../../../src/views/tui/scene.ts';
import {BoardScreen} from '../../../src/views/tui/screens/board.tsx';
import {EnvironmentScreen} from '../../../src/views/tui/screens/environment.tsx';
import {HelpScreen} from '../../../src/views/tui/screens/help.tsx';
import {TooSmall} from '../../../src/views/tui/screens/too-small.tsx';
import {type Model, emptyModel, update} from '../../../src/views/tui/state/model.ts';
import {cell, line, span} from '../../../src/views/tui/text/line.ts';
import type {RunEvent} from '../../../src/release/events.ts';
import {passCards, survey} from './support/story.ts';

const size = {columns: 80, rows: 24};
const moment = {now: Date.parse('2026-11-21T21:14:00Z'), frame: 0};

afterEach(cleanup);

function asking(): Model {
  const {application, environments} = survey();
  return update(emptyModel, {do: 'form', action: {do: 'open', flags: {}, application, environments}});
}

function running(...events: readonly RunEvent[]): Model {
  const started: RunEvent = {
    type: 'run.started',
    schema: 1,
    run: 'r1',
    application: 'pass',
    environment: 'production',
    version: '1.14.0',
    components: passCards.map(({id, kind, needs}) => ({id, kind, needs: [...needs]})),
    unattended: false,
    by: {user: 'jo', host: 'laptop'},
    tool: {version: '0.1.0', node: '24.0.0'},
    configPath: '/etc/deploy-wizard.config.yaml',
    config: null,
    allow: [],
  };
  const at = new Date(moment.now - 5000).toISOString();
  return [started, ...events].reduce((model, event) => update(model, {do: 'event', event: {...event, at}}), emptyModel);
}

function rows(frame: string | undefined): readonly string[] {
  return (frame ?? '').split('\n');
}

test('lines stand as they are: a column is a column, an empty line keeps its row', () => {
  const lines = [[cell('pass-core', 12), span('日本'), cell('2/3', 6, {}, 'right')], [], line('end')];
  expect(rows(render(<Lines lines={lines} width={40} />).lastFrame())).toEqual(['pass-core   日本   2/3', '', 'end']);
  // A wide character that would stand half outside is left out whole.
  expect(rows(render(<Lines lines={lines} width={14} />).lastFrame())).toEqual(['pass-core   …', '', 'end']);
});

test('where a terminal has ASCII only, each sign has a stand-in of its width', () => {
  const {lastFrame} = render(
    <AsciiContext value={true}>
      <Lines lines={[line('▸ 1.13.2 → 1.14.0 ✔ …')]} width={40} />
    </AsciiContext>,
  );
  expect(lastFrame()).toBe('> 1.13.2 > 1.14.0 + ~');
});

test('the environments, each with what was released there last', () => {
  const model = update(asking(), {do: 'select', list: 'environments', row: 'production'});
  const frame = rows(render(<EnvironmentScreen scene={sceneOf(model, size, moment)} />).lastFrame());
  expect(frame[0]).toBe('Where does this release go?');
  expect(frame.slice(2, 5)).toEqual([
    expect.stringMatching(/^ {2}development .*no release on record$/),
    expect.stringMatching(/^ {2}staging .*1\.14\.0 .*failed.* by ci$/),
    expect.stringMatching(/^▸ production .*1\.13\.2 .*passed.* by operator-2$/),
  ]);
});

test('the board: what runs, what it waits for', () => {
  const job = {component: 'pass-core', phase: 'apply'} as const;
  const model = running(
    {type: 'job.started', job},
    {type: 'job.progress', job, progress: {text: 'published', done: 1, total: 2}},
  );
  const scene = sceneOf(model, size, moment);
  const frame = rows(
    render(
      <Box width={size.columns}>
        <Box flexDirection="column">
          <BoardScreen scene={scene} />
        </Box>
      </Box>,
    ).lastFrame(),
  );
  expect(frame[0]).toMatch(/^▸ pass-core +⠋ applying +█{5}░{5} 1\/2 +published +00:05$/);
  expect(frame[1]).toMatch(/deposit-services +○ waiting +for pass-core/);
  expect(frame.length).toBeLessThanOrEqual(scene.height);
});

test('the help page lists the keys of the screen below it', () => {
  const frame = render(<HelpScreen scene={sceneOf(update(asking(), {do: 'help', open: true}), size, moment)} />).lastFrame();
  expect(frame).toMatch(/^enter +choose$/m);
  expect(frame).toMatch(/^ctrl\+c +quit$/m);
});

test('a terminal that is too small is told so, and that the run goes on', () => {
  const small = {columns: 50, rows: 10};
  expect(isTooSmall(small)).toBe(true);
  expect(render(<TooSmall model={running()} size={small} />).lastFrame()).toBe('needs 60x15, has 50x10; the run goes on');
});
