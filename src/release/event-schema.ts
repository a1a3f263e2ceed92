/** The JSON Schema of what `--output json` writes: one event a line. */
import * as z from 'zod';
import {type RunEvent, runEvent} from './events.ts';

type Schema = z.core.JSONSchema.JSONSchema;

/** What each event says, in one line. */
export const meanings: Readonly<Record<RunEvent['type'], string>> = {
  'run.started': 'A run begins: what goes where, who started it, with which config and which version of the tool.',
  'run.resumed': 'A later process goes on with the run. The events of the earlier ones come before it, as they were recorded.',
  'question.asked': 'Somebody or a policy has to answer.',
  'question.answered': 'The answer, what gave it, and why.',
  'job.started': 'A phase of a component begins (`*`: of the release as a whole), again after a failure that was retried.',
  'job.progress': 'How far a job is. Many, at any time; not in the record.',
  'job.succeeded': 'A job is done.',
  'job.failed': 'A job failed: what happened, what it means, what to do next.',
  'job.skipped': 'A job does not take place, and why.',
  'plan.ready': 'What would change, with the way back. A later one replaces it.',
  'approval.given': 'The plan with this fingerprint may be applied.',
  'approval.refused': 'It may not, and why.',
  intent: 'A step is about to touch the world. An intent without an effect is in doubt.',
  effect: 'What became of the step.',
  check: 'Something was looked at: a requirement, or a claim of the plan. Again whenever it looks different.',
  waived: 'A failed or open check was let through, by whom and why.',
  'back.planned': 'A component failed and is taken back: what that changes.',
  hook: 'A command of the config’s `hooks` begins or ends.',
  ticked: 'A manual item of the checklist was done.',
  observed: 'What a component is now that it has arrived: what a later run can go back to.',
  'run.finished': 'The end of the run: outcome, exit code, and what each component came to.',
};

/**
 * For readers: what a later minor version adds does not make a line wrong. `strict`: nothing but what is described here, which is
 * what a test of this version wants.
 */
export function eventJsonSchema({strict = false}: {readonly strict?: boolean} = {}): Schema {
  const {
    $schema,
    $defs,
    oneOf = [],
  } = z.toJSONSchema(runEvent, {
    override: ({jsonSchema}) => {
      if (!strict && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return {
    ...($schema !== undefined && {$schema}),
    title: 'An event of a deploy-wizard run, as --output json writes it: one a line',
    oneOf: oneOf.map(event => (typeof event === 'object' ? described(event) : event)),
    ...($defs && {$defs}),
  };
}

/** With what it says, and when: every event has its time. */
function described(event: Schema): Schema {
  const {type, ...rest} = event.properties ?? {};
  const name = typeof type === 'object' ? type.const : undefined;
  const [, description] = Object.entries(meanings).find(([one]) => one === name) ?? [];
  const at: Schema = {type: 'string', format: 'date-time', description: 'When it was emitted: ISO 8601, UTC'};
  return {
    ...(description !== undefined && {description}),
    ...event,
    properties: {...(type !== undefined && {type}), at, ...rest},
    required: [...(event.required ?? []), 'at'],
  };
}
