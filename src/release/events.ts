/**
 * The only output of the core: one typed union. A record holds these (design section 6), every view is a
 * reduction of them.
 */
import * as z from 'zod';
import {json} from './json.ts';
import {check, componentEnd, componentPlan, flag, job, outcome, phase, plan, risk, stepByHand, trouble} from './model.ts';

/** Raised when a reader of the last version would misread a line. A reader refuses a newer one. */
export const schemaVersion = 1;

/** Who runs it, as far as the machine can tell. */
export const actor = z.object({
  user: z.string(),
  host: z.string(),
  identity: z.string().optional(),
  /** The process, and what tells it from a later one with the same pid. */
  pid: z.number().optional(),
  startTime: z.string().optional(),
});
export type Actor = z.infer<typeof actor>;

/**
 * What can be done about a failure. `wait`: look on, although it seems hopeless; `rollback`: this component back to what was
 * there; `rollback-all`: all that have moved; `skip`: let it be, with a reason; `leave`: end here, as it stands.
 */
export const failureChoices = ['retry', 'wait', 'rollback', 'rollback-all', 'skip', 'leave'] as const;
export type FailureChoice = (typeof failureChoices)[number];

/** What a question is about. `expect` is the exact text that means yes; anything else means no. */
export const question = z.discriminatedUnion('about', [
  /** A preparing phase may start. Expected answers: `go`, `stop`. */
  z.object({
    id: z.string(),
    about: z.literal('start'),
    phase,
    work: z.array(z.object({component: z.string(), text: z.string()})),
  }),
  /** Requirements are not met. Expected answers: `retry`, `stop`. */
  z.object({id: z.string(), about: z.literal('preflight'), failed: z.array(z.string())}),
  /** A plan may be applied. The answer is the text typed. */
  z.object({
    id: z.string(),
    about: z.literal('approval'),
    expect: z.string(),
    fingerprint: z.string(),
    /** Another plan was asked about before, and the world has changed since. */
    again: z.boolean(),
    /** What has changed, so that it was planned again. */
    because: z.string().optional(),
    /** What is different from that plan, one line each. */
    differences: z.array(z.string()).optional(),
  }),
  /** A job failed: one of `choices`. `skip` takes a reason (`because`), and is a waiver. */
  z.object({
    id: z.string(),
    about: z.literal('failure'),
    job,
    trouble,
    choices: z.array(z.enum(failureChoices)),
    /** The job's steps that are not done, for whoever goes on by hand. */
    byHand: z.array(stepByHand).optional(),
  }),
  /** Looking cannot tell whether a step happened. Expected answers: `look` (once more), `again` (it did not happen: perform it), `happened` (where it is on offer), `leave`. */
  z.object({
    id: z.string(),
    about: z.literal('unknown step'),
    job,
    step: z.string(),
    text: z.string(),
    /** Whether a person may say that it happened. */
    happened: z.boolean().optional(),
  }),
]);
export type Question = z.infer<typeof question>;
export type QuestionAbout = Question['about'];

/** `by` says what answered: a person, a flag, or the environment's policy. */
export const answer = z.object({value: z.string(), by: z.enum(['operator', 'flag', 'policy']), because: z.string().optional()});
export type Answer = z.infer<typeof answer>;

/** How far a job is. `done` of `total` in `unit`s, where it can be counted. Not recorded. */
export const progress = z.object({
  text: z.string(),
  done: z.number().optional(),
  total: z.number().optional(),
  unit: z.string().optional(),
  /**
   * What stopping it at this moment would leave; and, for what hears a second interrupt, the words that somebody types to send one, and
   * what that costs.
   */
  stopping: z.object({means: z.string(), force: z.string(), costs: z.string()}).optional(),
});
export type Progress = z.infer<typeof progress>;

export const runEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('run.started'),
    schema: z.literal(schemaVersion),
    run: z.string(),
    application: z.string(),
    environment: z.string(),
    version: z.string(),
    /** The grid's rows, in order. */
    components: z.array(z.object({id: z.string(), kind: z.string(), needs: z.array(z.string())})),
    unattended: z.boolean(),
    by: actor,
    tool: z.object({version: z.string(), node: z.string()}),
    reason: z.string().optional(),
    /**
     * The run before it in this environment, and how far the record of that one reached then (absent: it could not be read). So
     * none can be taken away, or chained anew, without a later one that tells. Absent: this is the first.
     */
    after: z
      .object({
        run: z.string(),
        head: z.object({length: z.number().int().nonnegative(), hash: z.string()}).optional(),
      })
      .optional(),
    /** Absent: a release. `adopt`: nothing is changed, what is there is attested. */
    kind: z.enum(['rollback', 'adopt']).optional(),
    /** A rollback: what each component goes back to. */
    states: z.record(z.string(), z.object({version: z.string(), state: json})).optional(),
    /** Where the config file stood, and the part that this run uses, as it was read: a resumed run uses this. */
    configPath: z.string(),
    config: json,
    allow: z.array(z.string()),
  }),
  z.object({
    type: z.literal('run.resumed'),
    by: actor,
    /** How the config file differs from the one of then, which is used; absent: it does not. */
    configChanged: z.array(z.string()).optional(),
    /** What it lets through besides what the run began with. */
    allow: z.array(z.string()).optional(),
  }),
  z.object({type: z.literal('question.asked'), question}),
  z.object({type: z.literal('question.answered'), id: z.string(), answer}),
  z.object({type: z.literal('job.started'), job, text: z.string().optional()}),
  z.object({type: z.literal('job.progress'), job, progress}),
  z.object({type: z.literal('job.succeeded'), job, text: z.string()}),
  z.object({type: z.literal('job.failed'), job, trouble}),
  z.object({type: z.literal('job.skipped'), job, text: z.string()}),
  z.object({type: z.literal('plan.ready'), plan}),
  z.object({
    type: z.literal('approval.given'),
    fingerprint: z.string(),
    by: z.enum(['operator', 'policy', 'flag']),
    covers: z.array(z.union([risk, flag])),
    because: z.string().optional(),
  }),
  z.object({type: z.literal('approval.refused'), fingerprint: z.string(), because: z.string()}),
  /** A step is about to touch the world. `request` is all that settling it later needs. */
  z.object({type: z.literal('intent'), job, step: z.string(), request: json, undo: z.boolean().optional()}),
  /** What became of the intent. `adopted`: found done by looking, not performed by this process. */
  z.object({
    type: z.literal('effect'),
    job,
    step: z.string(),
    undo: z.boolean().optional(),
    adopted: z.boolean().optional(),
    result: z.discriminatedUnion('is', [
      z.object({is: z.literal('done'), value: json}),
      z.object({is: z.literal('absent')}),
      z.object({is: z.literal('failed'), trouble}),
      z.object({is: z.literal('unknown'), trouble}),
    ]),
  }),
  z.object({type: z.literal('check'), job, check}),
  /** Somebody let a failed or open check through. `what`: the check in one line; `by`: who. */
  z.object({type: z.literal('waived'), job, claim: z.string(), what: z.string(), reason: z.string(), by: z.string()}),
  /** A component failed and is taken back: what that changes. Its steps are named `back.…`. */
  z.object({type: z.literal('back.planned'), plan: componentPlan}),
  /** A manual item of the checklist was done: said by a person, at any time after the release. The newest of an item counts. */
  z.object({
    type: z.literal('ticked'),
    /** Where it stands alone, in a record of its own: what it is about. In a run's record: that run's version. */
    schema: z.literal(schemaVersion).optional(),
    environment: z.string().optional(),
    version: z.string().optional(),
    item: z.string(),
    by: actor,
    note: z.string().optional(),
    /** Where the evidence is. */
    link: z.string().optional(),
  }),
  /**
   * A command of the config's `hooks`, around a phase or after a failure. `failed`: it stood in the way; `warned`: it did not
   * work out, and nothing was made of that.
   */
  z.object({
    type: z.literal('hook'),
    /** `before apply`, `after verify`, `on failure`; with a number where there are several. */
    hook: z.string(),
    /** The phase, or the last one that was begun. */
    phase,
    status: z.enum(['started', 'succeeded', 'failed', 'warned']),
    /** The command; or what came of it. */
    text: z.string(),
  }),
  /** What was there when a component had arrived (or was attested by whoever adopted it). A later run may go back to it. */
  z.object({
    type: z.literal('observed'),
    component: z.string(),
    version: z.string().optional(),
    state: json,
    /** Image → digest, for promotion. */
    digests: z.record(z.string(), z.string()).optional(),
  }),
  z.object({
    type: z.literal('run.finished'),
    outcome,
    exitCode: z.number(),
    text: z.string(),
    components: z.array(componentEnd),
    /** Whether anything of an environment was touched. */
    touched: z.boolean(),
    /** Whether `resume` has something to go on with. */
    resumable: z.boolean().optional(),
  }),
]);
export type RunEvent = z.infer<typeof runEvent>;
export type EventOf<T extends RunEvent['type']> = Extract<RunEvent, {type: T}>;

/** Every word that events are made of: their keys and constants (types, phases, risks, outcomes). */
export function vocabulary(): ReadonlySet<string> {
  const words = new Set<string>();
  const collect = (schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null) return;
    for (const [name, value] of Object.entries(schema)) {
      if (name === 'properties') Object.keys(Object(value)).forEach(key => words.add(key));
      if (name === 'const' || name === 'enum') [value].flat().forEach(word => typeof word === 'string' && words.add(word));
      else collect(value);
    }
  };
  collect(z.toJSONSchema(runEvent));
  return words;
}

/** An event with the time at which it was emitted (ISO 8601, UTC). */
export type TimedEvent = RunEvent & {readonly at: string};
