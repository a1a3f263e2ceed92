/**
 * The lines of `terraform plan|apply -json`, typed. Format: facts/terraform.md 1.1 and 1.3, and
 * https://developer.hashicorp.com/terraform/internals/machine-readable-ui
 *
 * Lenient: Terraform adds types in every minor version, prints plain text when it is misused, and its output may end in the middle
 * of a line. Nothing throws and no line is lost. What is not needed is not kept either: a value that is not in memory cannot leak.
 */
import * as z from 'zod';

const address = z.object({addr: z.string()}).transform(resource => resource.addr);
const seconds = z.number().optional();

/**
 * An error or a warning, as Terraform says it. May hold secrets: the output of a failed provisioner is in `detail`.
 * The values that Terraform quotes beside the source (`snippet.values`) are left out.
 */
const diagnostic = z
  .object({
    severity: z.string(),
    summary: z.string(),
    detail: z.string().default(''),
    address: z.string().optional(),
    range: z.object({filename: z.string(), start: z.object({line: z.number()})}).optional(),
    snippet: z.object({code: z.string()}).nullish(),
  })
  .transform(({severity, range, snippet, ...said}) => ({
    ...said,
    severity: severity === 'error' ? ('error' as const) : ('warning' as const),
    /** `main.tf:12` */
    where: range && `${range.filename}:${range.start.line}`,
    /** The lines of source that it is about. */
    code: snippet?.code,
  }));
export type Diagnostic = z.infer<typeof diagnostic>;

const planned = z.object({
  resource: address,
  previous_resource: address.optional(),
  /** `remove` means forget, and `replace` does not say in which order (facts 1.1). */
  action: z.string(),
  reason: z.string().optional(),
});
const applying = z.object({resource: address, action: z.string(), id_value: z.string().optional(), elapsed_seconds: seconds});
const provisioning = z.object({resource: address, provisioner: z.string(), output: z.string().optional()});
const summary = z.object({
  /** An errored plan has a summary too: it is no sign of success. */
  operation: z.string(),
  add: z.number(),
  change: z.number(),
  /** Counts what is destroyed; what is only forgotten is counted nowhere. */
  remove: z.number(),
  import: z.number().default(0),
});

const change = <T extends string>(...types: readonly [T, ...T[]]) =>
  z.object({type: z.literal(types), change: planned}).transform(({type, change}) => ({
    type,
    address: change.resource,
    previousAddress: change.previous_resource,
    action: change.action,
    reason: change.reason,
  }));

const apply = <T extends string>(...types: readonly [T, ...T[]]) =>
  z.object({type: z.literal(types), hook: applying}).transform(({type, hook}) => ({
    type,
    address: hook.resource,
    action: hook.action,
    objectId: hook.id_value,
    elapsedSeconds: hook.elapsed_seconds,
  }));

const known = z.union([
  z.object({type: z.literal('version'), terraform: z.string(), ui: z.string()}),
  z.object({type: z.literal(['log', 'state_lock_acquire'])}),
  change('planned_change', 'resource_drift'),
  z.object({type: z.literal('change_summary'), changes: summary}).transform(({type, changes}) => ({type, ...changes})),
  z
    .object({type: z.literal(['refresh_start', 'refresh_complete']), hook: z.object({resource: address})})
    .transform(({type, hook}) => ({type, address: hook.resource})),
  apply('apply_start', 'apply_progress', 'apply_complete', 'apply_errored'),
  z
    .object({
      type: z.literal(['provision_start', 'provision_progress', 'provision_complete', 'provision_errored']),
      hook: provisioning,
    })
    .transform(({type, hook}) => ({type, address: hook.resource, provisioner: hook.provisioner, output: hook.output})),
  z.object({
    type: z.literal('outputs'),
    outputs: z.record(z.string(), z.object({sensitive: z.boolean(), action: z.string().optional()})),
  }),
  z.object({type: z.literal('diagnostic'), diagnostic}),
]);

/** Every message carries the line that Terraform meant for people. */
interface Said {
  readonly text: string;
  /** When, as Terraform wrote it (RFC 3339, UTC). */
  readonly at?: string | undefined;
}

/** `other`: a message of a type that is not used here, or not known yet. `text`: not a message at all. */
export type TerraformMessage = Said & (z.infer<typeof known> | {readonly type: 'other'} | {readonly type: 'text'});
export type MessageOf<T extends TerraformMessage['type']> = Extract<TerraformMessage, {type: T}>;

const line = z.looseObject({'@message': z.string(), '@timestamp': z.string().optional(), type: z.string()});

/** Reads one line, without its line end. */
export function readMessage(raw: string): TerraformMessage {
  const parsed = line.safeParse(parseJson(raw));
  if (!parsed.success) return {type: 'text', text: raw};
  const said: Said = {text: parsed.data['@message'], at: parsed.data['@timestamp']};
  const message = known.safeParse(parsed.data);
  return message.success ? {...said, ...message.data} : {...said, type: 'other'};
}

function parseJson(text: string): unknown {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
