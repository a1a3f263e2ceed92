import type {Json} from '../../release/json.ts';
import {canonical, sha256} from '../../release/hash.ts';
import type {Marks, PlanJson, PlannedChange} from './plan-json.ts';
import {collectSecrets} from './secrets.ts';
import {isList, isObject, marksAt} from './values.ts';

/**
 * What makes two plans the same, for `fingerprint`: what is done, to what, from which values to which, with which variables. Two
 * plans of the same world have the same one, unless the configuration itself differs each time (`plantimestamp`).
 *
 * Secret values are there as a hash, so that a new password is another plan. A short secret could be guessed from its hash: keep
 * the fingerprint of this, not this.
 */
export function planIdentity(plan: PlanJson): Json {
  const secrets = collectSecrets(plan);
  const veil = (value: Json | undefined, marks: Marks) => veiled(value, marks, secrets);
  const identityOf = (change: PlannedChange): Json => ({
    actions: change.actions,
    before: veil(change.before, change.before_sensitive),
    after: veil(change.after, change.after_sensitive),
    unknown: change.after_unknown ?? null,
  });
  // What stays as it is and where it is may have been refreshed to other values in between, and nobody approves it.
  const doing = plan.resource_changes.filter(
    resource => !isIdle(resource.change) || resource.previous_address !== undefined || resource.change.importing,
  );
  return {
    changes: inOrder(
      doing.map(({address, previous_address, deposed, change}) => ({
        address,
        previous: previous_address ?? null,
        deposed: deposed ?? null,
        importing: change.importing?.id ?? null,
        change: isIdle(change) ? null : identityOf(change),
      })),
    ),
    invocations: inOrder(
      plan.action_invocations.map(({address, config_values, config_sensitive, lifecycle_action_trigger: trigger}) => ({
        address,
        config: veil(config_values, config_sensitive),
        after: trigger?.triggering_resource_address ?? null,
        event: trigger?.action_trigger_event ?? null,
      })),
    ),
    outputs: Object.fromEntries(
      Object.entries(plan.output_changes)
        .filter(([, {actions}]) => !actions.includes('no-op'))
        .map(([name, change]) => [name, identityOf(change)]),
    ),
    variables: Object.fromEntries(
      Object.entries(plan.variables).map(([name, {value}]) => [
        name,
        veil(value, plan.configuration?.root_module?.variables?.[name]?.sensitive),
      ]),
    ),
  };
}

function isIdle({actions}: PlannedChange): boolean {
  return actions.every(action => action === 'no-op' || action === 'read');
}

/** The value, with a hash in place of whatever is secret in it. */
function veiled(value: Json | undefined, marks: Marks, secrets: readonly string[]): Json {
  if (value === undefined || value === null) return null;
  if (marks === true || (typeof value === 'string' && secrets.some(secret => value.includes(secret))))
    return {sha256: sha256(canonical(value))};
  if (isList(value)) return value.map((item, index) => veiled(item, marksAt(marks, index), secrets));
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, veiled(item, marksAt(marks, key), secrets)]));
  return value;
}

/** Terraform's order is stable, and said to be undefined. */
function inOrder(items: readonly Json[]): readonly Json[] {
  return items
    .map(item => ({item, key: canonical(item)}))
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map(({item}) => item);
}
