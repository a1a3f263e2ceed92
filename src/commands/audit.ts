/** The checklist of a release: every claim of its record against the world now. Read-only. */
import {DeployError, exitCodes} from '../release/errors.ts';
import {kindOf} from '../release/standing.ts';
import {type AuditReport, auditText, verdictOf} from '../views/audit.ts';
import {type Application, openApplication} from './application.ts';
import {type AuditedRun, type FoundRun, bywords, findAudited} from './audit/find.ts';
import {groupsOf, integrityLines, partGroups} from './audit/groups.ts';
import {type Line, group, line} from './audit/lines.ts';
import {seeRecord, seeRuns} from './audit/see.ts';
import type {Context} from './context.ts';
import {environmentOf} from './environments.ts';

export const formats = ['text', 'markdown', 'json', 'junit'] as const;

export interface AuditOptions {
  readonly config?: string;
  readonly env?: string;
  readonly format?: (typeof formats)[number];
}

export async function auditCommand(context: Context, version: string | undefined, options: AuditOptions): Promise<number> {
  const application = await openApplication(context, options.config);
  const environment = environmentOf(application, options.env, 'Nothing was looked at.');
  const report = await auditOf(context, application, environment, version);
  context.stdout.write(await written(context, report, options.format ?? 'text'));
  return verdictOf(report).passed ? exitCodes.done : exitCodes.auditFailed;
}

/** Looks at everything; changes nothing. */
export async function auditOf(
  context: Context,
  application: Application,
  environment: string,
  version: string | undefined,
): Promise<AuditReport> {
  const found = await findAudited(application.store, environment, version);
  return 'audited' in found
    ? makeReport(context, application, environment, found)
    : nothingFound(context, application.loaded.config.application, environment, version, found.changed);
}

async function written(context: Context, report: AuditReport, format: NonNullable<AuditOptions['format']>): Promise<string> {
  switch (format) {
    case 'text':
      return `${auditText(context.env, report).join('\n')}\n`;
    case 'markdown':
      return (await import('../views/reports/markdown.ts')).auditMarkdown(report);
    case 'json':
      return (await import('../views/reports/json.ts')).auditJson(report);
    case 'junit':
      return (await import('../views/reports/junit.ts')).auditJunit(report);
  }
}

async function makeReport(
  context: Context,
  application: Application,
  environment: string,
  found: FoundRun,
): Promise<AuditReport> {
  const {audited, changed} = found;
  const {started} = audited.history;
  if (started === undefined) throw new DeployError(`run ${audited.run} does not say what it is of`);
  const {now} = context.clock;
  const see = seeRecord(application.store.placeOf(environment, audited.run));
  const integrity = [
    ...integrityLines(audited, see),
    ...changed.map(problem =>
      line('other record', 'the records of the other runs that count are intact', seeRuns(environment)).failed(problem),
    ),
  ];
  const record = group('record', `record ${audited.run}`, [...integrity, outcomeLine(audited, see)], now);
  const whole = await groupsOf(context, application, environment, found);
  const parts = await Promise.all(found.parts.map(part => partGroups(context, application, environment, part)));
  const rest = {groups: [whole, ...parts].flatMap(({groups}) => groups), looked: [whole, ...parts].flatMap(({looked}) => looked)};
  const replaced = rest.looked.length > 0 && rest.looked.every(({superseded}) => superseded !== undefined);
  const [newest] = rest.looked.flatMap(({superseded}) => superseded ?? []).toSorted((a, b) => (a.at < b.at ? 1 : -1));
  return {
    application: started.application,
    version: started.version,
    environment,
    release: {
      run: audited.run,
      kind: kindOf(audited),
      by: bywords(audited),
      began: audited.began,
      ended: audited.ended,
      ...(started.reason !== undefined && {reason: started.reason}),
      head: audited.record.head,
    },
    at: new Date(now()).toISOString(),
    auditor: `${context.user} on ${context.host}`,
    reliable: audited.record.problems.length === 0,
    ...(replaced && newest && {superseded: {version: newest.version ?? '', run: newest.run, at: newest.at}}),
    groups: [record, ...rest.groups].filter(one => one !== undefined),
  };
}

// ── the record ───────────────────────────────────────────────────────────────────────────────────────

function outcomeLine({history: {finished}}: AuditedRun, see: string): Line {
  const say = line('outcome', 'the release ended well', see);
  if (finished === undefined) return say.failed('it never ended', {next: 'deploy-wizard resume'});
  const {outcome, text, exitCode} = finished;
  return (exitCode === exitCodes.done ? say.passed : say.failed)(`${outcome}: ${text}`);
}

function nothingFound(
  context: Context,
  application: string,
  environment: string,
  version: string | undefined,
  changed: readonly string[],
): AuditReport {
  const see = seeRuns(environment);
  const what = version === undefined ? `no release to ${environment}` : `no release of ${version} to ${environment}`;
  const lines = [
    line('record', 'there is a record', see).failed(`${what} is recorded`, {
      next: 'Records are found through `store:` of the config file.',
    }),
    ...changed.map(problem => line('other record', 'the records of other runs are intact', see).failed(problem)),
  ];
  return {
    application,
    version,
    environment,
    release: undefined,
    at: new Date(context.clock.now()).toISOString(),
    auditor: `${context.user} on ${context.host}`,
    reliable: changed.length === 0,
    groups: [group('record', 'record', lines, context.clock.now)].filter(one => one !== undefined),
  };
}
