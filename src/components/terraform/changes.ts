/** A Terraform plan in the release's words: changes with their risk, and notes. */
import type {Change, Detail} from '../../release/model.ts';
import type {Risk} from '../../release/words.ts';
import {covers} from '../../tools/terraform/address.ts';
import type {ActionInvocation, PlanJson, PlannedChange, ResourceChange} from '../../tools/terraform/plan-json.ts';
import {failedChecks} from '../../tools/terraform/plan-problems.ts';
import {collectSecrets} from '../../tools/terraform/secrets.ts';
import {hiding, showDifference} from '../../tools/terraform/show-values.ts';
import {differences, mark, showPath, type Difference, type Path} from '../../tools/terraform/values.ts';

export {planIdentity} from '../../tools/terraform/plan-identity.ts';
export {failedChecks, planProblems} from '../../tools/terraform/plan-problems.ts';
export {collectSecrets} from '../../tools/terraform/secrets.ts';

type Hide = (text: string) => string;

export interface PlanChanges {
  readonly changes: readonly Change[];
  /** What is worth reading and changes nothing in the world: moves, imports, outputs, drift, checks. */
  readonly notes: readonly string[];
}

/**
 * What the plan does. `allowChanges`: the addresses that a release may touch; any other change is flagged `unlisted`. An address
 * without instance keys means all instances, one of a module all that is in it.
 */
export function readChanges(
  plan: PlanJson,
  {allowChanges}: {readonly allowChanges?: readonly string[] | undefined} = {},
): PlanChanges {
  const hide = hiding(collectSecrets(plan));
  const isListed = (address: string) => !allowChanges || allowChanges.some(listed => covers(listed, address));
  const flagged = (change: Omit<Change, 'flags'>, address: string): Change => ({
    ...change,
    flags: isListed(address) ? [] : ['unlisted'],
  });
  return {
    changes: [
      ...plan.resource_changes
        .filter(resource => doingOf(resource).risk !== 'none')
        .map(resource => flagged(changeOf(resource, hide), resource.address)),
      ...plan.action_invocations.map(invocation => flagged(invocationOf(invocation), invocation.address)),
    ],
    notes: [
      ...plan.resource_changes.flatMap(stateNotes),
      ...Object.entries(plan.output_changes).flatMap(([name, change]) => outputNotes(name, change, hide)),
      ...plan.resource_drift.flatMap(drift => driftNotes(drift, hide)),
      ...failedChecks(plan).map(failed => hide(`Now ${failed}. Terraform only warns of it.`)),
      ...plan.checks
        .filter(({address, status}) => address.kind === 'check' && status === 'unknown')
        .map(({address}) => `${address.to_display} can only be checked after the apply.`),
    ],
  };
}

interface Doing {
  readonly risk: Risk;
  /** What is done, after the address. */
  readonly words: string;
}

/** facts/terraform.md 1.2. */
const doings: Readonly<Record<string, Doing>> = {
  'no-op': {risk: 'none', words: 'stays as it is'},
  read: {risk: 'none', words: 'is read'},
  create: {risk: 'create', words: 'is created'},
  update: {risk: 'update', words: 'is updated in place'},
  'create,delete': {risk: 'replace', words: 'is replaced: the new one is created first'},
  'delete,create': {risk: 'outage', words: 'is destroyed and then created anew'},
  delete: {risk: 'destroy', words: 'is destroyed'},
  forget: {risk: 'forget', words: 'is left running, and Terraform forgets it'},
  'create,forget': {risk: 'forget', words: 'is created anew; the old one is left running, and Terraform forgets it'},
};

/** What this version does not know is taken for the worst. */
function doingOf({change: {actions}}: ResourceChange): Doing {
  return doings[actions.join(',')] ?? {risk: 'destroy', words: `is changed in a way not known here (${actions.join(', ')})`};
}

/** `action_reason`, in words. Terraform says that new ones may come. */
const reasons: Readonly<Record<string, string | undefined>> = {
  replace_because_tainted: 'an earlier apply failed on it, and left it tainted',
  replace_by_request: 'asked for with -replace',
  replace_by_triggers: 'its `replace_triggered_by` says so',
  // The paths say it better; without any there is nothing to add.
  replace_because_cannot_update: undefined,
  delete_because_no_resource_config: 'it is no longer in the configuration',
  delete_because_no_module: 'its module is no longer in the configuration',
  delete_because_wrong_repetition: 'its resource now uses `count` or `for_each` in another way',
  delete_because_count_index: '`count` is lower now',
  delete_because_each_key: 'its key is no longer in `for_each`',
  delete_because_no_move_target: 'a `moved` block names a resource that is not in the configuration',
};

function changeOf(resource: ResourceChange, hide: Hide): Omit<Change, 'flags'> {
  const {risk, words} = doingOf(resource);
  const because = reasonOf(resource);
  const subject = resource.deposed === undefined ? resource.address : `What an earlier replacement left of ${resource.address}`;
  return {
    id: resource.deposed === undefined ? resource.address : `${resource.address} (deposed ${resource.deposed})`,
    risk,
    summary: because === undefined ? `${subject} ${words}` : `${subject} ${words}: ${because}`,
    // What is only forgotten keeps every value that it has.
    details: risk === 'forget' && resource.change.actions.length === 1 ? [] : detailsOf(resource.change, hide),
  };
}

function reasonOf({change, action_reason: reason}: ResourceChange): string | undefined {
  const forcing = change.replace_paths?.map(showPath) ?? [];
  if (forcing.length > 0) return `${forcing.join(' and ')} ${forcing.length === 1 ? 'forces' : 'force'} it`;
  if (reason === undefined) return undefined;
  return Object.hasOwn(reasons, reason) ? reasons[reason] : reason.replaceAll('_', ' ');
}

/** What forces a replacement comes first, what is only known after apply last. */
function detailsOf(change: PlannedChange, hide: Hide): Detail[] {
  const forcing = change.replace_paths ?? [];
  const rank = ({path, after}: Difference) =>
    forcing.some(forced => startsWith(path, forced)) ? 0 : after.is === 'unknown' ? 2 : 1;
  return differencesOf(change)
    .sort((a, b) => rank(a) - rank(b))
    .map(difference => {
      const {sensitive, ...shown} = showDifference(difference, hide);
      return {name: hide(showPath(difference.path)) || 'value', ...shown, ...(sensitive && {sensitive})};
    });
}

function differencesOf(change: PlannedChange): Difference[] {
  return differences(
    mark(change.before, change.before_sensitive, undefined),
    mark(change.after, change.after_sensitive, change.after_unknown),
  );
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((key, index) => path[index] === key);
}

/** Terraform 1.14: what a provider does besides managing objects, such as invoking a function. Nothing of it can be taken back. */
function invocationOf({address, lifecycle_action_trigger: trigger}: ActionInvocation): Omit<Change, 'flags'> {
  const when = trigger?.triggering_resource_address;
  const event = trigger?.action_trigger_event?.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
  return {
    id: when === undefined ? address : `${address} (${when})`,
    risk: 'trigger',
    summary: `${address} is invoked${when === undefined ? '' : ` (${[event, when].filter(Boolean).join(' of ')})`}`,
    details: [],
  };
}

/** What only the state sees: other names, and objects that come under Terraform's management. */
function stateNotes({address, previous_address: previous, change}: ResourceChange): string[] {
  return [
    ...(previous === undefined || previous === address ? [] : [`${previous} is called ${address} from now on.`]),
    ...(change.importing
      ? [`${address} is taken under Terraform's management${change.importing.id ? ` (${change.importing.id})` : ''}.`]
      : []),
  ];
}

function outputNotes(name: string, change: PlannedChange, hide: Hide): string[] {
  return differencesOf(change).map(difference => {
    const {before, after} = showDifference(difference, hide);
    return `Output ${hide(showPath([name, ...difference.path]))}: ${before ?? 'nothing'} → ${after ?? 'nothing'}`;
  });
}

/** How many attributes a line about drift names. */
const namedInDrift = 3;

/** What the refresh found. A move alone is no drift, though a plan with `-refresh-only` lists it here. */
function driftNotes({address, change}: ResourceChange, hide: Hide): string[] {
  if (change.actions.includes('no-op')) return [];
  if (change.actions.includes('delete')) return [`Outside of Terraform, ${address} was deleted.`];
  const changed = detailsOf(change, hide).map(
    ({name, before, after}) => `${name}: ${before ?? 'nothing'} → ${after ?? 'nothing'}`,
  );
  const more = changed.length > namedInDrift ? [`and ${changed.length - namedInDrift} more`] : [];
  const what = [...changed.slice(0, namedInDrift), ...more].join('; ');
  return [`Outside of Terraform, ${address} was changed${what === '' ? '' : ` (${what})`}.`];
}
