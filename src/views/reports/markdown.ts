/** An audit as Markdown: pasted, it is the release ticket. */
import {clean} from '../text.ts';
import {type AuditLine, type AuditReport, type AuditedRelease, titleOf, unreliable, verdictOf} from '../audit.ts';

export function auditMarkdown(report: AuditReport): string {
  const {release, at, auditor, groups} = report;
  const lines = [
    `# ${inline(titleOf(report))}`,
    '',
    `**${inline(verdictOf(report).text)}**`,
    ...(report.reliable ? [] : ['', `> ✖ ${unreliable}`]),
    '',
    ...(release === undefined ? [] : about(release)),
    `- ${inline(`audited ${at} by ${auditor}`)}`,
    ...groups.flatMap(({title, checks}) => ['', `## ${inline(title)}`, '', ...checks.flatMap(item)]),
  ];
  return `${lines.join('\n')}\n`;
}

function about({kind, by, began, ended, reason, run, head}: AuditedRelease): readonly string[] {
  return [
    `- ${inline(`${kind} by ${by}, ${began} to ${ended}${reason === undefined ? '' : `: ${reason}`}`)}`,
    `- ${headLine(run, head)}`,
  ];
}

/** How far a record reaches: the number of its lines, and the hash that anybody may keep elsewhere. */
export type Head = AuditedRelease['head'];

export function headLine(run: string, head: Head): string {
  return `run ${code(run)}, head of its record ${code(head.hash)} (${head.length} lines)`;
}

const signs: Readonly<Record<AuditLine['status'], string>> = {
  passed: '- [x]',
  warned: '- [x] ⚠',
  failed: '- [ ] ✖',
  open: '- [ ] ○',
};

function item({status, text, found, at, evidence = [], next, see}: AuditLine): readonly string[] {
  const bad = status === 'failed';
  return [
    `${signs[status]} ${inline(text)}: ${bad ? '**' : ''}${inline(found)}${bad ? '**' : ''} (${at})`,
    ...(bad ? evidence.map(line => `  - ${inline(line)}`) : []),
    ...((bad || status === 'open') && next !== undefined ? [`  - ${inline(next)}`] : []),
    ...(see === undefined ? [] : [`  - ${code(see)}`]),
  ];
}

/** Text that is nothing but text: no emphasis, link, heading, tag or mention of anybody's making. */
export function inline(text: string): string {
  return clean(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]#|~!]/g, String.raw`\$&`)
    .trim();
}

/** A span of code whose fence is longer than any run of backticks in it. */
export function code(text: string): string {
  // A command to GitHub's runner, where the report is printed.
  const plain = clean(text).replaceAll('##[', '# #[');
  const longest = Math.max(0, ...[...plain.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const padding = longest > 0 ? ' ' : '';
  return `${fence}${padding}${plain}${padding}${fence}`;
}
