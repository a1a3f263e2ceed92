/** The words of design section 2, as types: what a release is made of. */
import * as z from 'zod';
import {json} from './json.ts';
import {flags, onFailures, outcomes, phases, reverts, risks} from './words.ts';

export const phase = z.enum(phases);
export const risk = z.enum(risks);
export const flag = z.enum(flags);

/** A cell of the grid: one phase of one component, or of the `wholeRelease`. */
export const job = z.object({component: z.string(), phase});
export type Job = z.infer<typeof job>;

/** One attribute of a change: its value before and after; `null` where there is none. */
export const detail = z.object({
  name: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
  /** The values are hidden; `before` and `after` then say so in words. */
  sensitive: z.boolean().optional(),
});
export type Detail = z.infer<typeof detail>;

/** One thing that a plan will do. `id` is stable: two plans of the same world name it alike. */
export const change = z.object({
  id: z.string(),
  risk,
  /** One line, in the operator's words. */
  summary: z.string(),
  details: z.array(detail),
  flags: z.array(flag).default([]),
});
export type Change = z.infer<typeof change>;

/**
 * An image by what it is built from instead of by its digest. The same before it is built and after, as long as this release
 * builds it from the same commit.
 */
export const unbuilt = z.object({
  /** `host/repository:tag` */
  image: z.string(),
  /** The commit that the release starts from: its own bump comes on top. */
  commit: z.string(),
  /** As that of the plan, with these two in place of the digest. */
  fingerprint: z.string(),
});
export type Unbuilt = z.infer<typeof unbuilt>;

/** What one component would do. `payload` is the kind's own: all that its steps need. */
export const componentPlan = z.object({
  component: z.string(),
  kind: z.string(),
  /** The version now, where one can be told. */
  from: z.string().optional(),
  to: z.string(),
  changes: z.array(change),
  /** Lines worth reading before approving: forecast, what stays, what was left out. */
  notes: z.array(z.string()).default([]),
  /** Normalised: the same for two plans of the same world (sha256, hexadecimal). */
  fingerprint: z.string(),
  /** Where the release builds an image itself: what an approval can say of it before its digest is known. */
  unbuilt: unbuilt.optional(),
  payload: json,
});
export type AnyComponentPlan = z.infer<typeof componentPlan>;
export type ComponentPlan<P> = Omit<AnyComponentPlan, 'payload'> & {readonly payload: P};

/** The way back of one component, as the approval foresees it: what was there before. */
export const wayBack = z.object({
  component: z.string(),
  revert: z.enum(reverts),
  /** The version before, where one can be told. */
  version: z.string().optional(),
  /** The kind's own: what `observe` saw before the run touched anything. */
  state: json,
});
export type WayBack = z.infer<typeof wayBack>;

/** All changes of all components; and what they would be taken back to. */
export const plan = z.object({
  components: z.array(componentPlan),
  fingerprint: z.string(),
  back: z.array(wayBack).optional(),
  onFailure: z.enum(onFailures).optional(),
  /** What is done with what has moved when the run is stopped and nobody is there to ask. Absent: it is left. */
  onCancel: z.literal('rollback').optional(),
});
export type Plan = z.infer<typeof plan>;

/** How long something could not be reached, as it was probed. */
export const downtime = z.object({
  /** Milliseconds from the first probe that failed to the first that answered rightly. */
  ms: z.number(),
  /** One sign a probe, in order: `=` the old version, `x` no right answer, `+` the new version. */
  probes: z.string(),
});
export type Downtime = z.infer<typeof downtime>;

/** Something that must be true: before a release as a requirement, after it as a proof. */
export const claim = z.object({
  /** Stable and unique within a component; equal ids of several components are one requirement. */
  id: z.string(),
  /** What must be true, in one line. */
  text: z.string(),
  /** What the kind's `check` needs to look. */
  subject: json,
  /** How long it may take to become true, in milliseconds. Absent: it is true now or it is not. */
  within: z.number().optional(),
  /** About what was there before the run: not looked at again once the run has changed anything itself. */
  once: z.boolean().optional(),
  /** What a limit that ran out means. Default `failed`. */
  late: z.enum(['failed', 'unknown']).optional(),
});
export type Claim = z.infer<typeof claim>;

/**
 * Looking whether a claim is true. `pending`: not yet, look again; `warned`: not as it should be, but no
 * reason to stop; `open`: could not be looked at (no permission, not asked for).
 */
export const check = z.object({
  claim: z.string(),
  text: z.string(),
  status: z.enum(['passed', 'failed', 'pending', 'warned', 'open']),
  /** What was seen, in one line. */
  found: z.string(),
  /** More lines: stop reasons, events, the end of a log. */
  evidence: z.array(z.string()).optional(),
  /** What to do about it, where it is not passed. */
  next: z.string().optional(),
  /** Why it will never become true, when that is known. Default: `failed`. */
  cause: z.enum(['failed', 'rolled back', 'superseded', 'stopped', 'unknown']).optional(),
  /** It can be waited for longer: what was seen is hopeless to the eye, but nothing has ended. */
  waitable: z.boolean().optional(),
  /** The command or call with which somebody can look for themselves. */
  see: z.string().optional(),
  downtime: downtime.optional(),
});
export type Check = z.infer<typeof check>;

/** A step that is not done, and what somebody would type to do it (`ByHand` of the contract). */
export const stepByHand = z.object({
  step: z.string(),
  title: z.string(),
  note: z.string().optional(),
  commands: z.array(z.array(z.string())),
});
export type StepByHand = z.infer<typeof stepByHand>;

/** How a run ended. */
export const outcome = z.enum(outcomes);

/** What one component's part of a run came to. */
export const componentEnd = z.object({
  component: z.string(),
  kind: z.string(),
  from: z.string().optional(),
  to: z.string(),
  /** `unchanged`: nothing had to change; `waived`: not verified, and let through; `not started`: its turn never came. */
  end: z.enum([
    'verified',
    'unchanged',
    'not proven',
    'waived',
    'failed',
    'rolled back',
    'superseded',
    'stopped',
    'unknown',
    'not started',
  ]),
  /** One line: the proof, or the reason. */
  note: z.string(),
  downtime: downtime.optional(),
});
export type ComponentEnd = z.infer<typeof componentEnd>;

/** What somebody sees of an error: what happened, what it means for the environment, what to do next. */
export const trouble = z.object({
  what: z.string(),
  means: z.string().optional(),
  next: z.array(z.string()).optional(),
  /** The situation, where it has a name (docs/errors.md). */
  code: z.string().optional(),
});
export type Trouble = z.infer<typeof trouble>;
