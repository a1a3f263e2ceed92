/** The config file, design section 8. Every object is strict: a key that is not known is a mistake, not a wish. */
import * as z from 'zod';
import {ecsServiceConfig} from '../components/ecs-service/settings.ts';
import {batchJobDefinitionConfig, ecsScheduledTaskConfig} from '../components/loaders/settings.ts';
import {repositoriesConfig} from '../components/repositories.ts';
import {snsTriggerConfig} from '../components/sns-trigger/config.ts';
import {terraformConfig} from '../components/terraform/config.ts';
import {duration, name} from '../components/settings.ts';
import {hook, notification} from './hooks.ts';
import {isS3, s3Place} from '../record/place.ts';
import {flags, onFailures, risks} from '../release/words.ts';

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

const requirement = z.strictObject({
  env: name,
  ticks: z.array(name).default([]).describe('Items of the checklist that must be ticked there'),
  for: duration.optional().describe('How long it must have been there'),
});
export type Requirement = z.infer<typeof requirement>;

const environment = z.strictObject({
  aws: aws.optional(),
  values: z.record(z.string(), z.string()).default({}).describe('For ${values.x} in component settings'),
  policy: z
    .strictObject({
      allow: z
        .array(z.enum([...risks.filter(risk => risk !== 'none'), ...flags]))
        .default([])
        .describe('What --yes may approve here; people see and confirm'),
      maxDowntime: duration
        .optional()
        .describe(
          'How long anything here may be down while it is released, where `verify.http` measures it; longer is a failed check',
        ),
    })
    .default({allow: []}),
  onFailure: z
    .enum(onFailures)
    .default('leave')
    .describe('What --yes does when a component fails: leave it, take it back, or take back all that moved'),
  onCancel: z.enum(['leave', 'rollback']).default('leave').describe('What --yes does with what it has begun when it is stopped'),
  requires: z
    .array(requirement)
    .min(1)
    .optional()
    .describe('Promotion: only what was verified there, with the same image digests, may come here'),
});
export type Environment = z.infer<typeof environment>;

const registry = z.strictObject({
  kind: z.literal('ecr').describe('The account and region are the environment’s'),
  copyFrom: z
    .string()
    .regex(/^[a-z0-9][\w.-]*(?::\d+)?(?:\/[a-z0-9][\w.-]*)*$/, 'a registry, with a path, as images are named: ghcr.io/owner')
    .optional()
    .describe('Where a missing image is copied from: a registry, with a path'),
});

const checklistItem = z.strictObject({id: name, when: z.enum(['before', 'after']), text: z.string().min(1)});

export const config = z.strictObject({
  application: name.describe('One config file describes one application; all its components share one version'),
  store: z
    .string()
    .min(1)
    .refine(store => !isS3(store) || s3Place(store), 'a store in S3 is s3://bucket or s3://bucket/prefix')
    .optional()
    .describe('Where the records are: a folder, or s3://bucket/prefix; default: $XDG_STATE_HOME/deploy-wizard/<application>'),
  environments: z.record(name, environment).refine(some, 'at least one environment'),
  registries: z.record(name, registry).default({}),
  components: z
    .record(
      name,
      z.discriminatedUnion('kind', [
        terraformConfig,
        ecsServiceConfig,
        ecsScheduledTaskConfig,
        batchJobDefinitionConfig,
        snsTriggerConfig,
      ]),
    )
    .refine(some, 'at least one component'),
  presets: z
    .record(name, z.array(z.string()).min(1))
    .default({})
    .describe('Sets of components that often go together: `--preset <name>`, or `p` in the wizard'),
  checklist: z.array(checklistItem).default([]),
  repositories: repositoriesConfig,
  hooks: z.array(hook).default([]).describe('Commands around the phases of a release, in order'),
  notify: z.array(notification).default([]).describe('Who is told of a release; never in its way'),
});
export type Config = z.infer<typeof config>;

function some(record: object): boolean {
  return Object.keys(record).length > 0;
}

/** The JSON Schema of the config file, as editors use it. */
export function configJsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(config, {io: 'input', unrepresentable: 'any'});
}
