/** What runs where, as a table: components down, environments across. */
import type {ComponentEnd} from '../release/model.ts';
import {type RunKind, settled} from '../release/standing.ts';
import {tableLines} from './table.ts';
import {lineFor, marks} from './words.ts';

/** What is known of one component in one environment. The same in JSON. */
export interface StatusCell {
  readonly id: string;
  /** Absent: no record says anything. */
  readonly version?: string;
  /** Repository → digest. */
  readonly digests?: Readonly<Record<string, string>>;
  /** Since when it has been there: ISO 8601. */
  readonly since?: string;
  readonly by?: string;
  /** The newest run that says so, its kind, and how the component ended in it. */
  readonly run?: string;
  readonly kind?: RunKind;
  readonly end?: ComponentEnd['end'];
  readonly live?: {
    readonly version?: string;
    readonly digests?: Readonly<Record<string, string>>;
    /** How the world differs from the record. */
    readonly drift?: string;
    /** Why it could not be looked at. */
    readonly problem?: string;
  };
}

export interface StatusEnvironment {
  readonly name: string;
  /** Its components are not all on one version. */
  readonly mixed: boolean;
  readonly components: readonly StatusCell[];
  /** Records that cannot be relied on; why it could not be looked at. */
  readonly problems: readonly string[];
}

export interface StatusReport {
  readonly schema: 1;
  readonly application: string;
  readonly at: string;
  readonly live: boolean;
  readonly environments: readonly StatusEnvironment[];
}

/** Where a component is only as far as anybody can tell. */
const doubtful: ReadonlySet<ComponentEnd['end']> = new Set([
  'failed',
  'superseded',
  'stopped',
  'unknown',
  'not proven',
  'waived',
]);

export function statusLines(env: Readonly<Record<string, string | undefined>>, report: StatusReport): readonly string[] {
  const glyphs = marks(env);
  const plain = lineFor(env);
  const {environments} = report;
  const ids = [...new Set(environments.flatMap(({components}) => components.map(({id}) => id)))];
  const cell = ({version, digests, end, live}: StatusCell): string => {
    if (version === undefined && live?.version === undefined) return live?.problem === undefined ? '-' : '?';
    // Where it was looked at and is not what the record says, the record's version is not what is there.
    const isElse = live?.version === undefined && live?.drift !== undefined;
    const [digest] = isElse ? [] : Object.values(live?.digests ?? digests ?? {});
    const doubt = live?.drift !== undefined || live?.problem !== undefined || (end !== undefined && doubtful.has(end));
    return [isElse ? '?' : (live?.version ?? version), shortest(digest), doubt ? glyphs.warning : undefined]
      .filter(Boolean)
      .join(' ');
  };
  const rows = [
    [report.application, ...environments.map(({name, mixed}) => (mixed ? `${name} ${glyphs.warning} mixed` : name))],
    ...ids.map(id => [id, ...environments.map(({components}) => cell(components.find(one => one.id === id) ?? {id}))]),
  ];
  return [
    ...tableLines(rows.map(row => row.map(plain))),
    ...environments.flatMap(environment => ['', ...details(environment, glyphs.bad, glyphs.warning)].map(plain)),
  ];
}

/** `9f3c41ab…`: enough to tell two images of one version apart. */
function shortest(digest: string | undefined): string | undefined {
  return digest?.replace(/^sha256:/, '').slice(0, 8);
}

/** Since when, by whom, and what is not as it should be: what components have in common is said once. */
function details({name, components, problems}: StatusEnvironment, bad: string, warning: string): readonly string[] {
  const known = components.filter(({version}) => version !== undefined);
  const groups = Map.groupBy(known, ({version, since, by, kind, run, end}) => {
    // What was tried is not there since then, as far as anybody knows.
    const when = end === undefined || settled.has(end) ? 'since' : 'tried until';
    return `${version} ${when} ${since} by ${by} (${kind} ${run}${end === 'rolled back' ? ', taken back' : ''})`;
  });
  return [
    name,
    ...(known.length === 0 ? ['  nothing is recorded'] : []),
    ...[...groups].map(([words, all]) => `  ${words}${groups.size === 1 ? '' : `: ${all.map(({id}) => id).join(', ')}`}`),
    ...components.flatMap(({id, end, live}) => [
      ...(end !== undefined && doubtful.has(end)
        ? [`  ${warning} ${id}: its release ${end === 'unknown' ? 'has come to no known end yet' : `ended ${end}`}`]
        : []),
      ...(live?.drift === undefined ? [] : [`  ${warning} ${id}: ${live.drift}`]),
      ...(live?.problem === undefined ? [] : [`  ${bad} ${id}: cannot be looked at: ${live.problem}`]),
    ]),
    ...problems.map(problem => `  ${bad} ${problem}`),
  ];
}
