/** The config file, design section 8. Every object is strict: a key that is not known is a mistake, not a wish. */
import {z} from 'zod';
import {ecsScheduledTaskConfig} from '../components/ecs-scheduled-task.ts';
import {ecsServiceConfig} from '../components/ecs-service.ts';
import {snsTriggerConfig} from '../components/sns-trigger.ts';
import {terraformConfig} from '../components/terraform.ts';
import {flags, risks} from '../release/model.ts';
import {name} from '../components/settings.ts';

/** For keys of the design that this version does not obey: accepting them in silence would be a lie. */
function notYet(what: string) {
  return z
    .never({error: `${what} is not there yet in this version of deploy-wizard: take it out, and see to it by hand`})
    .optional();
}

const twelveDigits = 'an account id has 12 digits, in quotes';

const aws = z
  .strictObject({
    accountId: z
      .string({error: twelveDigits})
      .regex(/^\d{12}$/, twelveDigits)
      .optional(),
    region: z.string().min(1).optional(),
    profile: z.string().min(1).optional().describe('Credentials in the environment win over it'),
    login: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Command that gets new credentials: shown when they are missing or end too soon'),
  })
  .describe('Account, region and credentials');

const environment = z.strictObject({
  aws: aws.optional(),
  values: z.record(z.string(), z.string()).default({}).describe('For ${values.x} in component settings'),
  policy: z
    .strictObject({allow: z.array(z.enum([...risks.filter(risk => risk !== 'none'), ...flags])).default([])})
    .default({allow: []})
    .describe('What --yes may approve here; people see and confirm'),
  onFailure: z.literal('leave', {error: 'only `leave` is there yet in this version of deploy-wizard'}).default('leave'),
  onCancel: z.literal('leave', {error: 'only `leave` is there yet in this version of deploy-wizard'}).default('leave'),
  requires: notYet('a promotion gate (requires:)'),
});
export type Environment = z.infer<typeof environment>;

const registry = z.strictObject({
  kind: z.literal('ecr').describe('The account and region are the environment’s'),
  copyFrom: notYet('copying images (copyFrom:)'),
});

const checklistItem = z.strictObject({id: name, when: z.enum(['before', 'after']), text: z.string().min(1)});

export const config = z.strictObject({
  application: name.describe('One config file describes one application; all its components share one version'),
  store: z
    .string()
    .min(1)
    .refine(store => !store.startsWith('s3://'), 'a store in S3 is not there yet in this version of deploy-wizard: give a folder')
    .optional()
    .describe('Folder of the records; default: $XDG_STATE_HOME/deploy-wizard/<application>'),
  environments: z.record(name, environment).refine(some, 'at least one environment'),
  registries: z.record(name, registry).default({}),
  components: z
    .record(name, z.discriminatedUnion('kind', [terraformConfig, ecsServiceConfig, ecsScheduledTaskConfig, snsTriggerConfig]))
    .refine(some, 'at least one component'),
  checklist: z
    .array(checklistItem)
    .refine(
      items => items.every(({when}) => when === 'after'),
      'items that block a release (when: before) are not there yet in this version of deploy-wizard',
    )
    .default([]),
});
export type Config = z.infer<typeof config>;

function some(record: object): boolean {
  return Object.keys(record).length > 0;
}

/** The JSON Schema of the config file, as editors use it. */
export function configJsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(config, {io: 'input', unrepresentable: 'any'});
}
