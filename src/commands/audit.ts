/** The checklist of a release: every claim of its record against the world now. Read-only. */
import path from 'node:path';
import type {Component} from '../release/contract.ts';
import type {Io} from '../components/io.ts';
import {DeployError, exitCodes, toTrouble} from '../release/errors.ts';
import {kindOf} from '../release/standing.ts';
import {type AuditGroup, type AuditReport, auditText, verdictOf} from '../views/audit.ts';
import {type Application, openApplication} from './application.ts';
import {asRecorded, redactionFor} from './recorded.ts';
import {bindComponents} from './binding.ts';
import {lookAtAccount, needsSession} from './audit/account.ts';
import {type Looked, claimsOf, laterOf, lookAtComponent} from './audit/components.ts';
import {type AuditedRun, type FoundRun, bywords, findAudited} from './audit/find.ts';
import {imageLines} from './audit/images.ts';
import {itemLines} from './audit/items.ts';
import {type Line, group, line} from './audit/lines.ts';
import {type Subject, planLines, preconditions} from './audit/preconditions.ts';
import {seeLive, seeRecord, seeRuns} from './audit/see.ts';
import {sourceLines} from './audit/source.ts';
import type {Context} from './context.ts';
import {environmentOf} from './environments.ts';
import {looking} from './looking.ts';
import {placeOf} from './places.ts';

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
  const rest = await groupsOf(context, application, environment, found);
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

function integrityLines({record}: AuditedRun, see: string): readonly Line[] {
  const say = line('chain', 'the record is intact', see);
  return [
    record.problems.length === 0
      ? say.passed(`${record.events.length} lines, each chained to the one before, head ${record.head.hash}`)
      : say.failed(record.problems.join('; ')),
  ];
}

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

// ── the rest ─────────────────────────────────────────────────────────────────────────────────────────

interface Rest {
  readonly groups: readonly (AuditGroup | undefined)[];
  readonly looked: readonly Looked[];
}

async function groupsOf(
  context: Context,
  application: Application,
  environment: string,
  {audited, newer, earlier}: FoundRun,
): Promise<Rest> {
  const {started} = audited.history;
  if (started === undefined) return {groups: [], looked: []};
  const {now} = context.clock;
  const see = seeRecord(application.store.placeOf(environment, audited.run));
  const readable = readConfig(application, started);
  if (typeof readable === 'string') {
    const unreadable = line('config', 'the config of the release can be read', see).failed(readable);
    return {groups: [group('config', 'config', [unreadable], now)], looked: []};
  }
  const loaded = readable;
  const {version} = started;
  const subject: Subject = {audited, earlier, loaded, environment, store: application.store, see};
  const components = bindComponents(loaded, context, {environment, version, components: started.components.map(({id}) => id)});
  const redaction = redactionFor(loaded, started.run);
  const recordedFolder = path.dirname(started.configPath);
  const found = await looking(
    context,
    {loaded, environment, version, redaction, store: application.store},
    async (world, stop): Promise<Rest> => {
      const whole = world.ioFor({component: '*', phase: 'verify'}, stop);
      const {usesAws} = placeOf(loaded, environment, context.env);
      const aws = (component: Component<Io>) =>
        component.requirements({is: 'release', version}).some(({subject: what}) => needsSession(what, usesAws));
      const account = await lookAtAccount(subject, whole, components.some(aws));
      const looks = components.map(component =>
        lookAtComponent(subject, component, world.ioFor({component: component.id, phase: 'verify'}, stop), {
          later: laterOf(component.id, version, newer),
          unseen: aws(component) ? account.unseen : undefined,
          recordedFolder,
          otherwise: seeLive(environment),
        }),
      );
      const [looked, before, source, images, items] = await Promise.all([
        Promise.all(looks),
        preconditions(subject),
        sourceLines(subject, whole),
        imageLines(context, subject, whole, {
          unseen: account.unseen,
          claimed: claimingDigests(subject, components, recordedFolder),
        }),
        itemLines(subject),
      ]);
      const groups = [
        group('preconditions', 'preconditions', before, now),
        group('source', 'source', source, now),
        group('images', 'images', images, now),
        group('plan', 'plan', planLines(subject), now),
        group('account', 'account', account.lines, now),
        ...looked.map(({component, kind, lines}) => group(`component:${component}`, `${component}   ${kind}`, lines, now)),
        group('checklist', 'checklist', items, now),
      ];
      return {groups, looked};
    },
  );
  return {...found, groups: redaction.deep(found.groups)};
}

/** The config as it was, in the folder of this checkout; or why it cannot be read. */
function readConfig(
  {loaded}: Application,
  started: NonNullable<AuditedRun['history']['started']>,
): ReturnType<typeof asRecorded> | string {
  try {
    return {...asRecorded(started), path: loaded.path, folder: loaded.folder};
  } catch (error) {
    return toTrouble(error).what;
  }
}

/** Components that look at the digest of what they pushed themselves. */
function claimingDigests(subject: Subject, components: readonly Component<Io>[], folder: string): ReadonlySet<string> {
  return new Set(
    components.flatMap(component => {
      try {
        return claimsOf(subject, component, folder)?.claims.some(({id}) => id === `${component.id} digest`) ? [component.id] : [];
      } catch {
        // That its plan cannot be read is said where it is looked at.
        return [];
      }
    }),
  );
}
