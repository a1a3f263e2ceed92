/** What the config says of others who have their say or want to know: commands around the phases, and notifications. */
import * as z from 'zod';
import {duration} from '../components/settings.ts';
import {phases} from '../release/words.ts';

/** Whether an argument would be taken for a reference that is none here. */
const argument = z
  .string()
  .refine(text => !text.includes('${'), 'a hook has no references; it gets DEPLOY_WIZARD_VERSION and others');

const common = {
  run: z
    .tuple([argument.min(1)], argument)
    .describe('The command and its arguments; there is no shell. It runs in the folder of the config file'),
  within: duration.default(120_000).describe('How long it may take'),
};
const failure = z
  .enum(['block', 'warn'])
  .default('block')
  .describe('What its failure means. block: the phase is not begun, or the run has failed; warn: it is said, and that is all');
const phase = z.enum(phases);

export const hook = z.union(
  [
    z.strictObject({before: phase, ...common, failure}),
    z.strictObject({after: phase, ...common, failure}),
    z.strictObject({after: phase, on: z.literal('failure'), ...common}),
    z.strictObject({on: z.literal('failure'), ...common}),
  ],
  {
    error: `a hook says when (before: or after: a phase: ${phases.join(', ')}; on: failure) and what (run: [command, arguments…]); it may say within: 2m and, where it is not on failure, failure: block or warn`,
  },
);
export type Hook = z.infer<typeof hook>;

export const notification = z.strictObject({
  url: z
    .string()
    .regex(/^(?:https?:\/\/[^\s$]+|\$\{env:[A-Za-z_]\w*\})$/, 'an http or https URL, or ${env:NAME} where it is a secret')
    .describe('Where it is posted to'),
  format: z
    .enum(['slack', 'json'])
    .default('slack')
    .describe('slack: {text}, as many chat services take it; json: see docs/hooks.md'),
  on: z
    .array(z.enum(['started', 'approved', 'failed', 'finished']))
    .min(1)
    .default(['started', 'approved', 'failed', 'finished']),
});
export type Notification = z.infer<typeof notification>;
