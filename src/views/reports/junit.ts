/** An audit as JUnit XML, for the test view of a CI system: a suite a group, a case a line. */
import {clean} from '../text.ts';
import {type AuditLine, type AuditReport, titleOf, verdictOf} from '../audit.ts';

export function auditJunit(report: AuditReport): string {
  const {release, at, groups, reliable} = report;
  const all = groups.flatMap(({checks}) => checks);
  const counts = (checks: readonly AuditLine[]) =>
    ({
      tests: checks.length,
      failures: checks.filter(({status}) => status === 'failed').length,
      skipped: checks.filter(({status}) => status === 'open').length,
      errors: 0,
      time: 0,
    }) as const;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({name: titleOf(report), ...counts(all)})}>`,
    ...groups.flatMap(({id, title, checks}, index) => [
      `  <testsuite${attributes({name: title, id: index, package: id, timestamp: at.replace(/\.\d+Z$/, ''), ...counts(checks)})}>`,
      ...(index === 0
        ? [
            '    <properties>',
            ...Object.entries({
              run: release?.run ?? '',
              head: release?.head.hash ?? '',
              lines: release?.head.length ?? 0,
              reliable: String(reliable),
              verdict: verdictOf(report).text,
            }).map(([name, value]) => `      <property${attributes({name, value})}/>`),
            '    </properties>',
          ]
        : []),
      ...checks.flatMap(check => testCase(id, check).map(line => `    ${line}`)),
      '  </testsuite>',
    ]),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

function testCase(group: string, {status, text, found, at, evidence = [], next, see}: AuditLine): readonly string[] {
  const seen = [
    `seen ${at}: ${found}`,
    ...evidence,
    ...(next === undefined ? [] : [next]),
    ...(see === undefined ? [] : [see]),
  ].map(escaped);
  const inside = (() => {
    switch (status) {
      case 'failed':
        return [`  <failure${attributes({message: `${text}: ${found}`, type: 'audit'})}>${seen.join('\n')}</failure>`];
      case 'open':
        return [`  <skipped${attributes({message: found})}/>`, `  <system-out>${seen.join('\n')}</system-out>`];
      case 'passed':
      case 'warned':
        return [`  <system-out>${seen.join('\n')}</system-out>`];
    }
  })();
  return [`<testcase${attributes({classname: group, name: text, time: 0})}>`, ...inside, '</testcase>'];
}

function attributes(all: Readonly<Record<string, string | number>>): string {
  return Object.entries(all)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
}

/** What XML 1.0 takes, and nothing that could be markup: `clean` leaves no control characters and no half surrogates. */
function escaped(text: string): string {
  return (
    clean(text)
      .replaceAll(/[\ufffe\uffff]/g, '')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&apos;')
      // A command to GitHub's runner, wherever it stands in a line.
      .replaceAll('##[', '#&#35;[')
  );
}
