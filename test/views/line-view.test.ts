/** The log of a CI job: when, which component, what; and what each CI service makes of it. */
import {describe, expect, test} from 'vitest';
import type {TimedEvent} from '../../src/release/events.ts';
import {type LineViewOptions, lineView} from '../../src/views/line-view.ts';
import {sectionsOf} from '../../src/views/sections.ts';
import {annotation, failure, mask, mistake, outputLines, withoutCommands} from '../../src/views/github.ts';
import {linesFor} from '../../src/views/words.ts';
import {fails, testRelease} from '../support/world.ts';

async function told(prepare: (world: ReturnType<typeof testRelease>['world']) => void = () => undefined) {
  const release = testRelease({core: {takes: 3000, within: 60_000}, loader: {needs: ['core'], prepares: ['bump']}});
  prepare(release.world);
  await release.go();
  return release.record().events;
}

const good = await told();

function logOf(events: readonly TimedEvent[], options: Partial<LineViewOptions> = {}): readonly string[] {
  const view = lineView({env: {}, planOnly: false, ...options});
  const last = Date.parse(events.at(-1)?.at ?? '');
  return [...events.flatMap(event => view.show(event)), ...view.end(last)];
}

describe('a log', () => {
  test('says when, which component, and what', () => {
    expect(logOf(good)).toEqual(
      `12:00:00Z        things 1.14.0 → production   run r1
12:00:00Z        ● preflight: 0 checks
12:00:00Z        ✔ preflight: all requirements are met (0 s)
12:00:00Z        ? start bump: loader: bump it
12:00:00Z loader ● bump
12:00:00Z loader ✔ bump: bump 1.14.0 (0 s)
12:00:00Z core   ● plan
12:00:00Z loader ● plan
12:00:00Z core   ✔ plan: core becomes 1.14.0 (0 s)
12:00:00Z loader ✔ plan: loader becomes 1.14.0 (0 s)

12:00:00Z        Plan c6eb 7c86: 2 update
12:00:00Z          core   1.13.2 → 1.14.0   update
12:00:00Z            update: core becomes 1.14.0
12:00:00Z          loader   1.13.2 → 1.14.0   update
12:00:00Z            update: loader becomes 1.14.0
12:00:00Z          If one fails, it is left as it is (--yes) or you decide. The way back: core to 1.13.2; loader to 1.13.2

12:00:00Z        ? approve plan c6eb 7c86
12:00:00Z        ✔ approved by operator (update), plan c6eb 7c86
12:00:00Z        ✔ confirm: approved by operator (0 s)
12:00:00Z core   ● apply
12:00:00Z core   ✔ apply: change 1.14.0 (0 s)
12:00:00Z core   ● verify
12:00:00Z core     ● core runs 1.14.0: not yet
12:00:03Z core     ✔ core runs 1.14.0: runs 1.14.0
12:00:03Z core   ✔ verify: runs 1.14.0 (3 s)
12:00:03Z loader ● apply
12:00:03Z loader ✔ apply: change 1.14.0 (0 s)
12:00:03Z loader ● verify
12:00:03Z loader   ✔ loader runs 1.14.0: runs 1.14.0
12:00:03Z loader ✔ verify: runs 1.14.0 (0 s)`.split('\n'),
    );
  });

  test('names the component on every line of what is said of it, however many there are', async () => {
    const events = await told(world => world.faults.set('core/change', [fails]));
    const lines = logOf(events).filter(line => /refused|ask somebody/.test(line));
    expect(lines.length).toBeGreaterThan(1);
    for (const line of lines) expect(line).toMatch(/^12:00:00Z core {3}/);
  });

  test('says what is at work, and since when, as long as something is and nobody is asked', () => {
    const view = lineView({env: {}, planOnly: false});
    const start = Date.parse(good[0]?.at ?? '');
    expect(view.beat(start)).toEqual([]);
    for (const event of good) {
      view.show(event);
      if (event.type === 'question.asked') expect(view.beat(start + 60_000)).toEqual([]);
      if (event.type === 'job.started' && event.job.component === 'core' && event.job.phase === 'verify') {
        view.show({type: 'job.progress', job: event.job, progress: {text: '1 of 2 running'}, at: event.at});
        expect(view.beat(start + 63_000)).toEqual(['12:01:03Z        at work: core verify (1 min 3 s: 1 of 2 running)']);
      }
    }
    expect(view.beat(start + 90_000)).toEqual([]);
  });

  test('names some of many that are at work', () => {
    const view = lineView({env: {}, planOnly: false});
    const at = '2026-01-15T12:00:00.000Z';
    for (const name of 'abcdefg') view.show({type: 'job.started', job: {component: name, phase: 'apply'}, at});
    view.show({type: 'hook', hook: 'before verify', phase: 'verify', status: 'started', text: './check', at});
    const [line] = view.beat(Date.parse(at) + 30_000);
    expect(line).toBe(
      '12:00:30Z at work: a apply (30 s), b apply (30 s), c apply (30 s), d apply (30 s), e apply (30 s), and 3 more',
    );
  });
});

describe('sections', () => {
  const titles = ['preflight', 'bump', 'plan', 'apply and verify'];

  test('fold on GitHub, one a stage; what has to be seen stays outside', () => {
    const lines = logOf(good, {sections: sectionsOf({GITHUB_ACTIONS: 'true'})});
    expect(lines.filter(line => line.startsWith('::group::'))).toEqual(titles.map(title => `::group::${title}`));
    const folded = lines.map((_line, index) => {
      const before = lines.slice(0, index);
      const opened = before.filter(line => line.startsWith('::group::')).length;
      return opened - before.filter(line => line === '::endgroup::').length;
    });
    expect(Math.max(...folded)).toBe(1);
    expect(folded[lines.findIndex(line => line.includes('Plan c6eb'))]).toBe(0);
    expect(folded[lines.findIndex(line => line.includes('approved by operator (update)'))]).toBe(0);
    expect(lines.at(-1)).toBe('::endgroup::');
  });

  test('fold on GitLab in its own signs', () => {
    const lines = logOf(good, {sections: sectionsOf({GITLAB_CI: 'true'})});
    expect(lines).toContain(
      `\u001B[0Ksection_start:${Date.UTC(2026, 0, 15, 12) / 1000}:deploy_wizard_apply_and_verify\r\u001B[0Kapply and verify`,
    );
    expect(lines.filter(line => line.includes('section_start'))).toHaveLength(titles.length);
    expect(lines.filter(line => line.includes('section_end'))).toHaveLength(titles.length);
    expect(lines.join('\n')).not.toContain('::');
  });

  test.each([
    ['Jenkins', {JENKINS_URL: 'https://ci.example.edu', BUILD_ID: '7', CI: 'true'}],
    ['a plain shell', {}],
  ])('are none on %s', (_name, env) => {
    expect(logOf(good, {sections: sectionsOf(env)})).toEqual(logOf(good));
  });
});

describe('what GitHub reads in a log', () => {
  test('escapes what would end a value of a command', () => {
    expect(annotation('error', '100 %\r\n::warning::no', {title: 'a:b,c', place: {file: 'c,d.yaml', line: 3, column: 7}})).toBe(
      '::error file=c%2Cd.yaml,line=3,col=7,title=a%3Ab%2Cc::100 %25%0D%0A::warning::no',
    );
    expect(failure('core apply', {what: 'it broke', means: 'it is down', next: ['look']}, undefined)).toBe(
      '::error title=core apply::it broke%0Ait is down%0Alook',
    );
    expect(mask('a%b')).toBe('::add-mask::a%25b');
  });

  test('takes a mistake in the config file to its line', () => {
    expect(mistake('/repo/deploy-wizard.config.yaml:12:5: unknown key "nedes"', file => file.slice(6))).toBe(
      '::error file=deploy-wizard.config.yaml,line=12,col=5::unknown key "nedes"',
    );
    expect(mistake('there is no environment x', file => file)).toBeUndefined();
  });

  test('writes outputs that no value can end', () => {
    expect(outputLines({outcome: 'passed', version: '1\nrun=2'}, 'END')).toBe(
      'outcome<<END\npassed\nEND\nversion<<END\n1\nrun=2\nEND\n',
    );
  });

  test.each(['::add-mask::x', '  ::set-output name=a::b', '\u00A0::error::x', 'see ##[error]x', '###[group]x'])(
    'finds no command in somebody else’s text: %j',
    text => {
      const line = withoutCommands(text);
      expect(line).not.toMatch(/^\s*::/);
      expect(line).not.toContain('##[');
    },
  );

  test('no text of a release is a command there, and elsewhere it stays as it is', () => {
    const text = '::error::you\n  ##[add-mask]e';
    expect(linesFor({GITHUB_ACTIONS: 'true'})(text)).toEqual([': :error::you', '    |   # #[add-mask]e']);
    expect(linesFor({})(text)).toEqual(['::error::you', '    |   ##[add-mask]e']);
  });
});
