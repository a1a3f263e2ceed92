/** Each component now: every claim of the record against the world. */
import * as z from 'zod';
import type {Io} from '../../components/io.ts';
import {look} from '../../release/checks.ts';
import type {Component} from '../../release/contract.ts';
import {StoppedError, toTrouble} from '../../release/errors.ts';
import {resultsOf} from '../../release/history.ts';
import type {Json} from '../../release/json.ts';
import {fingerprint} from '../../release/hash.ts';
import type {AnyComponentPlan, Check, Claim} from '../../release/model.ts';
import {type RecordedRun, type Trace, tracesOf} from '../../release/standing.ts';
import {type Line, line, lineOf} from './lines.ts';
import type {Subject} from './preconditions.ts';
import {seeOf} from './see.ts';

export interface Looked {
  readonly component: string;
  readonly kind: string;
  readonly lines: readonly Line[];
  /** What has taken its place. */
  readonly superseded: Trace | undefined;
}

/** What came of a component after the audited run. `moved`: it is on another version now; else it may be. */
interface Later {
  readonly trace: Trace;
  readonly moved: boolean;
}

export function laterOf(component: string, version: string, newer: readonly RecordedRun[]): Later | undefined {
  const [trace] = newer.flatMap(tracesOf).filter(one => one.component === component && one.end !== 'rolled back');
  if (trace === undefined || trace.version === version) return undefined;
  return {trace, moved: ['verified', 'unchanged', 'not proven', 'waived'].includes(trace.end)};
}

/** Plans and results with the paths of this checkout: the record has those of the machine that released. */
export function rebase(value: Json, from: string, to: string): Json {
  if (from === to) return value;
  if (typeof value === 'string')
    return value === from || value.startsWith(`${from}/`) ? `${to}${value.slice(from.length)}` : value;
  if (Array.isArray(value)) return value.map((item: Json) => rebase(item, from, to));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, rebase(item, from, to)]));
}

/** Claims of one component with the component that can check them. Throws where its plan cannot be read any more. */
export function claimsOf(
  {audited, loaded}: Subject,
  component: Component<Io>,
  recordedFolder: string,
): {readonly plan: AnyComponentPlan; readonly claims: readonly Claim[]} | undefined {
  const part = audited.history.plan?.components.find(one => one.component === component.id);
  if (part === undefined) return undefined;
  const here = (value: Json) => rebase(value, recordedFolder, loaded.folder);
  const plan: AnyComponentPlan = {...part, payload: here(part.payload)};
  const results = new Map([...resultsOf(audited.history.done, component.id)].map(([step, result]) => [step, here(result)]));
  return {plan, claims: component.claims(plan, results)};
}

export interface Looking {
  readonly later: Later | undefined;
  /** Why it cannot be looked at. */
  readonly unseen: string | undefined;
  readonly recordedFolder: string;
  /** What shows how a component is, where a claim says nothing of how to see it. */
  readonly otherwise: string;
}

export async function lookAtComponent(subject: Subject, component: Component<Io>, io: Io, looking: Looking): Promise<Looked> {
  const {later, unseen} = looking;
  const base = {component: component.id, kind: component.kind};
  const superseded = later?.moved ? later.trace : undefined;
  const say = line(component.id, `${component.id} is as it was released`, looking.otherwise);
  if (superseded) return {...base, superseded, lines: [say.open(replaced(superseded))]};
  if (unseen !== undefined) return {...base, superseded, lines: [say.open(`not looked at: ${unseen}`)]};
  try {
    const claimed = claimsOf(subject, component, looking.recordedFolder);
    if (claimed === undefined) return {...base, superseded, lines: await attestedLines(subject, component, io, looking)};
    const checks = await Promise.all(
      claimed.claims.map(
        async claim => seenThen(subject, claim) ?? withSee(claim, await look(component, claim, io), io, looking),
      ),
    );
    const lines = checks
      .map(lineOf)
      .map(one =>
        later && one.status === 'failed'
          ? {...one, status: 'open' as const, found: `${one.found}; ${replaced(later.trace)}`}
          : one,
      );
    const none = say.open('nothing of it can be looked at (verify: none)');
    return {...base, superseded, lines: lines.length === 0 ? [none] : lines};
  } catch (error) {
    if (error instanceof StoppedError) throw error;
    const {what} = toTrouble(error);
    return {
      ...base,
      superseded,
      lines: [isDenied(what) ? say.open(what) : say.failed(`what was released cannot be read: ${what}`)],
    };
  }
}

function replaced({version, run, at, end}: Trace): string {
  return `superseded by ${version ?? 'another release'} (run ${run}, ${at}${end === 'verified' ? '' : `, ${end}`})`;
}

const past = z.object({is: z.literal('downtime')});

/** How long something was down is seen while it is, or never: what the run saw. Undefined for what can be looked at now. */
function seenThen({audited, see}: Subject, claim: Claim): (Check & {readonly see: string}) | undefined {
  if (!past.safeParse(claim.subject).success) return undefined;
  const seen = audited.record.events.findLast(
    event => event.type === 'check' && event.check.claim === claim.id && event.check.status !== 'pending',
  );
  return seen?.type === 'check' ? {...seen.check, found: `${seen.check.found} (seen ${seen.at})`, see} : undefined;
}

function withSee(claim: Claim, check: Check, io: Io, {otherwise}: Looking): Check & {readonly see: string} {
  const denied = check.cause === 'unknown' && isDenied(check.found);
  return {...check, ...(denied && {status: 'open' as const}), see: check.see ?? seeOf(claim, io.place, otherwise)};
}

/** Whoever may not look has found nothing wrong. */
function isDenied(found: string): boolean {
  return found.startsWith('not allowed to call ');
}

/** What was adopted has no plan: it is as it was found then, or it is not. */
async function attestedLines(
  {audited}: Subject,
  component: Component<Io>,
  io: Io,
  {otherwise}: Looking,
): Promise<readonly Line[]> {
  const say = line(component.id, `${component.id} is as it was attested`, otherwise);
  const then = audited.history.observed.get(component.id);
  if (then === undefined) return [say.open('nothing of it could be seen then')];
  const now = await component.observe(io);
  if (now === undefined) return [say.failed('nothing is there')];
  if (now.version !== then.version)
    return [say.failed(`it is ${now.version ?? 'without a version'}, it was ${then.version ?? 'without a version'}`)];
  return [
    fingerprint(now.state) === fingerprint(then.state)
      ? say.passed(now.version ?? 'the same')
      : say.failed('it was changed since'),
  ];
}
