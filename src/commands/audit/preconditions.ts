/** What had to be so before the release, as its record has it: requirements, promotion, the approval, and what was let through. */
import type {LoadedConfig} from '../../config/load.ts';
import type {Requirement} from '../../config/schema.ts';
import type {Store} from '../../record/store.ts';
import {judgePromotion} from '../../release/checklist.ts';
import type {EventOf} from '../../release/events.ts';
import {stepKey} from '../../release/history.ts';
import {fingerprint} from '../../release/hash.ts';
import type {Check, Plan} from '../../release/model.ts';
import {isChange, missingAllowances, needsOf, parseAllowance} from '../../release/policy.ts';
import {type RecordedRun, kindOf, tracesOf} from '../../release/standing.ts';
import {promotionClaim, tellPromotion} from '../gates.ts';
import {policyOf} from '../policy.ts';
import {readPast} from '../promotion.ts';
import {type AuditedRun, bywords} from './find.ts';
import {type Line, line, lineOf} from './lines.ts';
import {seeRecord, seeRuns} from './see.ts';

export interface Subject {
  readonly audited: AuditedRun;
  /** The config as it was, with the folder of this checkout. */
  readonly loaded: LoadedConfig;
  readonly environment: string;
  readonly store: Store;
  /** The command that shows the record. */
  readonly see: string;
  /** Older runs of the same version. */
  readonly earlier: readonly RecordedRun[];
}

export async function preconditions(subject: Subject): Promise<readonly Line[]> {
  const {audited, loaded, environment} = subject;
  const {requires = []} = loaded.config.environments[environment] ?? {};
  // Neither the way back nor an adoption is a promotion.
  const gates = kindOf(audited) === 'release' ? requires : [];
  return [
    ...requirementLines(subject),
    ...(await Promise.all(gates.map(requirement => promotionLine(subject, requirement)))),
    ...approvalLines(subject),
    ...waiverLines(subject),
  ];
}

// ── requirements ─────────────────────────────────────────────────────────────────────────────────────

/** What preflight saw last of each requirement. Nobody can look again: it was about the time before. */
function requirementLines({audited: {record, history}, see}: Subject): readonly Line[] {
  const seen = new Map<string, Check & {readonly at: string}>();
  for (const event of record.events) {
    if (event.type === 'check' && event.job.phase === 'preflight') seen.set(event.check.claim, {...event.check, at: event.at});
  }
  if (seen.size === 0) return [];
  const say = line('requirements', 'every requirement was met before anything was done', see);
  const unmet = [...seen.values()].filter(
    ({status, claim}) => (status === 'failed' || status === 'pending') && !history.waived.some(waiver => waiver.claim === claim),
  );
  const [last] = [...seen.values()].toReversed();
  return [
    unmet.length === 0
      ? say.passed(`${seen.size} looked at, ${last?.at ?? ''}`)
      : say.failed(unmet.map(({text, found}) => `${text}: ${found}`).join('; ')),
  ];
}

// ── promotion ────────────────────────────────────────────────────────────────────────────────────────

/** Judged at the time of the release; what the other environment has taken back since counts against it all the same. */
async function promotionLine({audited, loaded, store, see}: Subject, requirement: Requirement): Promise<Line> {
  const version = audited.history.started?.version ?? '';
  const claim = promotionClaim(requirement, version);
  const waiver = audited.history.waived.find(one => one.claim === claim.id);
  if (waiver !== undefined)
    return line(claim.id, claim.text, see).warned(`${waiver.what}; let through by ${waiver.by}: ${waiver.reason}`);
  const traces = tracesOf(audited);
  const digests = new Map(traces.map(({component, digests: used}) => [component, new Map(Object.entries(used))] as const));
  const past = await readPast(store, requirement.env, {version, components: [...digests.keys()]}, loaded.config.checklist);
  const judged = judgePromotion(requirement, {version, digests}, past, Date.parse(audited.began));
  return lineOf({...tellPromotion(claim, requirement.env, judged, past.problems), see: seeRuns(requirement.env)});
}

// ── approval and plan ────────────────────────────────────────────────────────────────────────────────

function approvalLines({audited, loaded, environment, see}: Subject): readonly Line[] {
  const {history, record} = audited;
  const {started, plan, approved} = history;
  const say = line('approval', 'the plan that was applied was approved', see);
  if (plan === undefined || started === undefined) {
    return started?.kind === 'adopt' ? [line('attested', 'somebody attested what was found', see).passed(attested(audited))] : [];
  }
  if (!isChange(plan)) return [say.passed('nothing had to change')];
  const given = record.events.findLast(event => event.type === 'approval.given');
  if (approved === undefined || given === undefined) return [say.failed('no approval is recorded')];
  const {approval} = approved;
  const begun = record.events.filter(event => event.type === 'run.started' || event.type === 'run.resumed');
  const allowed = [...policyOf(loaded, environment), ...begun.flatMap(({allow = []}) => allow.map(parseAllowance))];
  // Whoever went on with it may be somebody else than who began it.
  const {by} = begun.findLast(({seq}) => seq < given.seq) ?? started;
  return [
    say.passed(
      `by ${approval.by} (${by.user} on ${by.host}), ${given.at}${approval.because === undefined ? '' : `: ${approval.because}`}`,
    ),
    coverLine(plan, approval, allowed, see),
  ];
}

function attested(audited: AuditedRun): string {
  const reason = audited.history.started?.reason;
  return `${bywords(audited)}, ${audited.began}${reason === undefined ? '' : `: ${reason}`}`;
}

/** A person approves what is shown, here or elsewhere (`--approve`); policy only what it names. */
function coverLine(
  plan: Plan,
  approval: EventOf<'approval.given'>,
  allowed: Parameters<typeof missingAllowances>[1],
  see: string,
): Line {
  const say = line('covers', 'the approval covers all that the plan does', see);
  const uncovered = needsOf(plan).filter(({what}) => !approval.covers.includes(what));
  const forbidden = approval.by === 'policy' ? missingAllowances(plan, allowed) : [];
  const wrong = [...new Set([...uncovered, ...forbidden].map(({what, component}) => `${what} (${component})`))];
  return wrong.length === 0
    ? say.passed(approval.covers.join(', '))
    : say.failed(`${wrong.join(', ')} ${uncovered.length > 0 ? 'was not approved' : 'is not in policy.allow, nor in --allow'}`);
}

/** Applied = approved: every change of the environment came under an approved plan, and the plan is what its fingerprint says. */
export function planLines({audited, see}: Subject): readonly Line[] {
  const {history, record} = audited;
  const {plan} = history;
  if (plan === undefined) return [];
  const say = line('applied', 'what was applied is what was approved', see);
  if (!isChange(plan)) return [say.passed('nothing had to change')];
  if (history.approved === undefined) return [say.open('there is no approval to compare it with')];
  const made = fingerprint(plan.components.map(part => [part.component, part.fingerprint]));
  if (made !== plan.fingerprint)
    return [say.failed(`the plan that is recorded has the fingerprint ${made}, and says ${plan.fingerprint}`)];
  let planned: string | undefined;
  let approved: string | undefined;
  const outside: string[] = [];
  for (const event of record.events) {
    if (event.type === 'plan.ready') planned = event.plan.fingerprint;
    if (event.type === 'approval.given') approved = event.fingerprint;
    if (event.type === 'intent' && event.job.phase === 'apply' && approved !== planned)
      outside.push(stepKey(event.job.component, event.step));
  }
  return [
    outside.length === 0
      ? say.passed(`fingerprint ${plan.fingerprint}`)
      : say.failed(`done without an approval: ${outside.join(', ')}`),
  ];
}

// ── waivers ──────────────────────────────────────────────────────────────────────────────────────────

/**
 * What was let through stays in every audit, for ever: of this run (whose gates have their own lines), and of every older run of
 * the same version, from before the gate was open.
 */
function waiverLines({audited, earlier, environment, store, see}: Subject): readonly Line[] {
  const isGate = ({claim}: EventOf<'waived'>) => claim.startsWith('promotion ') || claim.startsWith('checklist ');
  const own = kindOf(audited) === 'release' ? audited.history.waived.filter(waiver => !isGate(waiver)) : audited.history.waived;
  return [
    ...own.map((waiver, index) => waiverLine(waiver, `waiver ${index + 1} ${waiver.claim}`, '', see)),
    ...earlier.flatMap(({run, history: {waived}}) =>
      waived.map((waiver, index) =>
        waiverLine(
          waiver,
          `waiver ${run} ${index + 1} ${waiver.claim}`,
          ` in run ${run} of this version`,
          seeRecord(store.placeOf(environment, run)),
        ),
      ),
    ),
  ];
}

function waiverLine({job, what, by, reason}: EventOf<'waived'>, id: string, where: string, see: string): Line {
  const text = `${job.component === '*' ? 'the release' : job.component}: nothing was let through${where}`;
  return line(id, text, see).warned(`${what}; let through by ${by}: ${reason}`);
}
