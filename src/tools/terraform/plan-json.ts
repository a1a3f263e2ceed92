/**
 * What is read of `terraform show -json <plan file>`: facts/terraform.md 1.2 and
 * https://developer.hashicorp.com/terraform/internals/json-format
 *
 * Lenient: unknown keys are ignored, keys that older versions do not write are optional. All of it is secret: variables, attributes
 * and outputs stand here in clear, whatever is marked sensitive.
 */
import * as z from 'zod';
import type {Json} from '../../release/json.ts';

/** Any value. Not checked again: it comes out of JSON.parse, and plans of many megabytes are usual. */
const value = z.custom<Json>();

/** Shaped like the value that it is about, with `true` where the mark applies to everything below. */
export type Marks = Json | undefined;

const change = z.object({
  /** `["delete", "create"]` destroys first; `["create", "delete"]` creates first. */
  actions: z.array(z.string()),
  before: value.optional(),
  after: value.optional(),
  after_unknown: value.optional(),
  before_sensitive: value.optional(),
  after_sensitive: value.optional(),
  replace_paths: z.array(z.array(z.union([z.string(), z.number()]))).optional(),
  importing: z.object({id: z.string().optional()}).nullish(),
});
export type PlannedChange = z.infer<typeof change>;

const resourceChange = z.object({
  address: z.string(),
  previous_address: z.string().optional(),
  mode: z.string().optional(),
  /** The key of a deposed object: the old one of a replacement whose second half never happened. */
  deposed: z.string().optional(),
  change,
  /** For people; new ones may come. */
  action_reason: z.string().optional(),
});
export type ResourceChange = z.infer<typeof resourceChange>;

/** Terraform 1.14 and newer: something that a provider does besides managing objects. */
const actionInvocation = z.object({
  address: z.string(),
  config_values: value.optional(),
  config_sensitive: value.optional(),
  lifecycle_action_trigger: z
    .object({triggering_resource_address: z.string().optional(), action_trigger_event: z.string().optional()})
    .optional(),
});
export type ActionInvocation = z.infer<typeof actionInvocation>;

const check = z.object({
  address: z.object({kind: z.string().optional(), to_display: z.string()}),
  /** `pass`, `fail`, `error`, `unknown` */
  status: z.string(),
  instances: z
    .array(
      z.object({
        address: z.object({to_display: z.string()}),
        status: z.string(),
        problems: z.array(z.object({message: z.string()})).optional(),
      }),
    )
    .optional(),
});
export type PlannedCheck = z.infer<typeof check>;

const stateResource = z.object({values: value.optional(), sensitive_values: value.optional()});
export interface StateModule {
  readonly resources?: readonly z.infer<typeof stateResource>[] | undefined;
  readonly child_modules?: readonly StateModule[] | undefined;
}
const stateModule: z.ZodType<StateModule> = z.object({
  resources: z.array(stateResource).optional(),
  get child_modules() {
    return z.array(stateModule).optional();
  },
});
const stateValues = z.object({
  outputs: z.record(z.string(), z.object({sensitive: z.boolean().optional(), value: value.optional()})).optional(),
  root_module: stateModule.optional(),
});

const configVariable = z.object({sensitive: z.boolean().optional(), default: value.optional()});
export interface ConfigModule {
  readonly variables?: Readonly<Record<string, z.infer<typeof configVariable>>> | undefined;
  readonly module_calls?:
    | Readonly<
        Record<
          string,
          {
            readonly source?: string | undefined;
            readonly expressions?: Readonly<Record<string, Json>> | undefined;
            readonly module?: ConfigModule | undefined;
          }
        >
      >
    | undefined;
}
const configModule: z.ZodType<ConfigModule> = z.object({
  variables: z.record(z.string(), configVariable).optional(),
  get module_calls() {
    return z
      .record(
        z.string(),
        z.object({
          /** As written: `./app` for a folder of the same repository. */
          source: z.string().optional(),
          expressions: z.record(z.string(), value).optional(),
          module: configModule.optional(),
        }),
      )
      .optional();
  },
});

export const planJson = z.object({
  terraform_version: z.string(),
  variables: z.record(z.string(), z.object({value: value.optional()})).default({}),
  resource_changes: z.array(resourceChange).default([]),
  /** What was changed outside of Terraform, as found by the refresh. */
  resource_drift: z.array(resourceChange).default([]),
  output_changes: z.record(z.string(), change).default({}),
  action_invocations: z.array(actionInvocation).default([]),
  deferred_changes: z
    .array(z.object({reason: z.string().optional(), resource_change: z.object({address: z.string()})}))
    .default([]),
  planned_values: stateValues.optional(),
  prior_state: z.object({values: stateValues.optional()}).optional(),
  configuration: z.object({root_module: configModule.optional()}).optional(),
  checks: z.array(check).default([]),
  /** False when a part was left out (`-target`, deferred). Terraform 1.8 and newer, as `applyable`. */
  complete: z.boolean().optional(),
  applyable: z.boolean().optional(),
  errored: z.boolean().optional(),
});
export type PlanJson = z.infer<typeof planJson>;
