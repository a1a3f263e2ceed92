import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {emptyRun, reduce} from '../../src/release/reducer.ts';
import {type AuditLine, type AuditReport, auditText, verdictOf} from '../../src/views/audit.ts';
import {auditJson} from '../../src/views/reports/json.ts';
import {auditJunit} from '../../src/views/reports/junit.ts';
import {auditMarkdown} from '../../src/views/reports/markdown.ts';
import {runMarkdown} from '../../src/views/reports/run-markdown.ts';
import {testRelease} from '../support/world.ts';

const at = '2026-01-15T12:03:04.000Z';
const line = (status: AuditLine['status'], more: Partial<AuditLine> = {}): AuditLine => ({
  claim: `c ${status}`,
  text: `it is ${status}`,
  status,
  found: 'seen',
  at,
  ...more,
});

const hash = 'ab'.repeat(32);

const report = (
  more: Partial<AuditReport> = {},
  lines: readonly AuditLine[] = [line('passed', {see: 'aws sts get-caller-identity'})],
): AuditReport => ({
  application: 'pass',
  version: '1.14.0',
  environment: 'production',
  release: {run: 'r1', kind: 'release', by: 'jo on laptop', began: at, ended: at, head: {length: 12, hash}},
  at,
  auditor: 'al on desk',
  reliable: true,
  groups: [{id: 'component:core', title: 'core   ecs-service', checks: lines}],
  ...more,
});

const mixed = [
  line('passed'),
  line('warned'),
  line('open', {next: 'tick it'}),
  line('failed', {evidence: ['out of memory'], next: 'look', see: 'curl x'}),
];

/** The names of the elements, if it is well-formed; throws where it is not. */
function elementsOf(xml: string): readonly string[] {
  const names: string[] = [];
  const open: string[] = [];
  const rest = xml
    .replace('<?xml version="1.0" encoding="UTF-8"?>\n', '')
    .replaceAll(
      /<(\/?)([a-z-]+)((?: [a-z]+="[^"<>&]*(?:&(?:amp|lt|gt|quot|apos|#35);[^"<>&]*)*")*)(\/?)>/g,
      (_tag, end: string, name: string, _attributes, alone: string) => {
        if (end === '/') expect(open.pop()).toBe(name);
        else {
          names.push(name);
          if (alone !== '/') open.push(name);
        }
        return '';
      },
    );
  expect(open).toEqual([]);
  expect(rest.replaceAll(/&(?:amp|lt|gt|quot|apos|#35);/g, '')).not.toMatch(/[<&]/);
  expect(rest).not.toMatch(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
  return names;
}

describe('what an audit comes to', () => {
  test.each([
    [[line('passed')], true, 'Everything is as the record says.'],
    [[line('passed'), line('open'), line('warned')], true, 'Everything is as the record says (1 let through, 1 open).'],
    [mixed, false, '1 check failed (1 let through, 1 open).'],
  ] as const)('is one sentence', (lines, passed, text) => {
    expect(verdictOf(report({}, lines))).toEqual({passed, text});
  });

  test('names what has taken its place', () => {
    const superseded = {version: '1.15.0', run: 'r2', at};
    expect(verdictOf(report({superseded}, [line('open')])).text).toBe(
      `Superseded by 1.15.0 (run r2, ${at}). What of it can be looked at is as the record says (1 open).`,
    );
  });
});

test.each([
  ['leave', 'failed'],
  ['rollback', 'rolled back'],
] as const)('the page of a run has what was seen of a failure while it was there, as text: %s', async (choice, outcome) => {
  const release = testRelease({service: {}});
  const {running, verdicts} = release.world;
  const broken = {
    status: 'failed' as const,
    found: 'its tasks exit with 1',
    evidence: ['3 × exited with 1', '  ERROR `db` | <none>'],
  };
  Object.defineProperty(verdicts, 'get', {value: () => (running.get('service')?.version === '1.14.0' ? broken : undefined)});
  await release.go({answers: ({about}) => (about === 'failure' ? choice : undefined)});
  const text = runMarkdown(release.record().events.reduce(reduce, emptyRun), {length: 12, hash});
  expect(text).toContain(`production: ${outcome}\n`);
  expect(text).toContain('\n**service**, while it failed:\n\n- `3 × exited with 1`\n- ``   ERROR `db` | <none> ``\n');
});

describe('a report', () => {
  test('as text has every line with its mark, when it was seen and how to see it, and the head of the record', () => {
    const lines = auditText({}, report({}, mixed));
    expect(lines.slice(-1)).toEqual([`head ${hash} (12 lines)`]);
    expect(lines.join('\n')).toContain(
      '  ✔ it is passed: seen\n  ⚠ it is warned: seen\n  ○ it is open: seen\n      tick it\n  ✖ it is failed: seen\n      out of memory\n      look\n      12:03:04 curl x\n',
    );
  });

  test('in Markdown is a ticket: ticked, waived, failed and open', () => {
    const text = auditMarkdown(report({}, mixed));
    expect(text).toContain('# pass 1.14.0 → production');
    expect(text).toContain(`- run \`r1\`, head of its record \`${hash}\` (12 lines)`);
    expect(text).toContain(
      `- [x] it is passed: seen (${at})\n- [x] ⚠ it is warned: seen (${at})\n- [ ] ○ it is open: seen (${at})\n  - tick it\n`,
    );
    expect(text).toContain(`- [ ] ✖ it is failed: **seen** (${at})\n  - out of memory\n  - look\n  - \`curl x\`\n`);
  });

  test('in Markdown holds nothing that is more than text', () => {
    const evil = '[click](http://x) <img src=x> `code` **bold** # h | t\n- [x] forged';
    const text = auditMarkdown(report({}, [line('failed', {text: evil, found: evil, evidence: [evil], next: evil, see: evil})]));
    expect(text).not.toMatch(/^- \[x\]/m);
    expect(text.replaceAll(/(`+).*?\1/g, '')).not.toMatch(/<img|[^\\]\[click|[^\\]\*\*bold/);
  });

  test('in JSON has what was expected, seen, when, and how to see it', () => {
    const shown: {groups: unknown[]} = JSON.parse(auditJson(report({}, mixed)));
    expect(shown).toMatchObject({
      schema: 1,
      passed: false,
      reliable: true,
      release: {run: 'r1', head: {length: 12, hash}},
      audited: {at, by: 'al on desk'},
    });
    expect(shown.groups).toMatchObject([
      {
        id: 'component:core',
        checks: [
          {id: 'c passed', status: 'passed', expected: 'it is passed', seen: 'seen', at},
          {},
          {},
          {status: 'failed', evidence: ['out of memory'], next: 'look', see: 'curl x'},
        ],
      },
    ]);
  });

  test('in JUnit XML has a case a line: failures, and what was skipped', () => {
    const xml = auditJunit(report({}, mixed));
    const names = elementsOf(xml);
    expect(names.filter(name => name === 'testcase')).toHaveLength(4);
    expect(names.filter(name => name === 'failure')).toHaveLength(1);
    expect(names.filter(name => name === 'skipped')).toHaveLength(1);
    expect(xml).toContain(`seen ${at}: seen\nout of memory\nlook\ncurl x</failure>`);
    expect(xml).toContain(`<property name="head" value="${hash}"/>`);
    expect(xml).toContain('<testsuites name="pass 1.14.0 → production" tests="4" failures="1" skipped="1" errors="0" time="0">');
  });

  test('of a record that was changed says in every form that it cannot be relied on', () => {
    const changed = report({reliable: false});
    expect(auditText({}, changed).join('\n')).toContain('nothing that follows can be relied on');
    expect(auditMarkdown(changed)).toContain('nothing that follows can be relied on');
    expect(JSON.parse(auditJson(changed))).toMatchObject({reliable: false});
    expect(auditJunit(changed)).toContain('<property name="reliable" value="false"/>');
  });

  test('of nothing is a report, too', () => {
    const nothing = report({release: undefined, version: undefined}, [line('failed')]);
    expect(auditText({}, nothing)[0]).toBe(`pass → production, audited ${at}`);
    expect(auditMarkdown(nothing)).not.toContain('head of its record');
    elementsOf(auditJunit(nothing));
  });

  test('stays one, whatever somebody has written into it', () => {
    fc.assert(
      fc.property(fc.string({unit: 'binary', maxLength: 40}), text => {
        const hostile = report({}, [
          line('failed', {text, found: text, evidence: [`##[x]${text}`], next: text, see: `##[x]${text}`}),
          line('passed', {text, found: text}),
        ]);
        const [xml, markdown] = [auditJunit(hostile), auditMarkdown(hostile)];
        // No command to GitHub's runner, where it is printed.
        for (const written of [xml, markdown]) expect(written).not.toContain('##[');
        expect(elementsOf(xml).filter(name => name === 'testcase')).toHaveLength(2);
        expect(markdown.split('\n').filter(one => one.startsWith('- ['))).toHaveLength(2);
        expect(JSON.parse(auditJson(hostile))).toMatchObject({groups: [{checks: [{seen: text}, {seen: text}]}]});
      }),
      {numRuns: 200},
    );
  });
});
