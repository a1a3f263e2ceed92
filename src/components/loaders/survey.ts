/**
 * What else of the account starts something: rules, schedules and state machines that no config file lists. A bounded number of
 * calls; what may not be looked at is said, and stops nothing.
 */
import pLimit from 'p-limit';
import type {Clock} from '../../release/contract.ts';
import {toTrouble} from '../../release/errors.ts';
import type {Aws} from '../../tools/aws/index.ts';
import type {Rule, RuleTarget} from '../../tools/aws/eventbridge.ts';
import type {Schedule} from '../../tools/aws/scheduler.ts';
import type {StateMachine} from '../../tools/aws/sfn.ts';
import {type Together, together} from '../../tools/aws/together.ts';
import {ruleEntries} from './rule.ts';
import {mayStart, scheduleEntries, timingOf} from './schedule.ts';
import {machineEntries, unqualified} from './state-machine.ts';
import type {Wanted} from './reference.ts';
import type {Entry, Source} from './target.ts';
import type {Timing} from './timing.ts';

interface Io {
  readonly aws: Pick<Aws, 'events' | 'scheduler' | 'sfn'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** At most so many of each are read. */
const most = 100;
/** Calls at a time: a look for something else must not be what throttles the release. */
const atOnce = 4;

interface SurveyedRule {
  readonly rule: Rule;
  readonly targets: readonly RuleTarget[];
}
export interface Survey {
  readonly rules: readonly SurveyedRule[];
  readonly schedules: readonly Schedule[];
  readonly machines: readonly StateMachine[];
  /** What was left out, and why: one line each. */
  readonly unseen: readonly string[];
  /** Some of it could not be looked at. */
  readonly failed: boolean;
}

/** How long a look is good for, from its beginning: sixty loaders that end one after another are not sixty looks. Milliseconds. */
const fresh = 10_000;

const looks = new WeakMap<Io['aws'], Together<[], Survey>>();

/** What there is, at most ten seconds ago (or as long as it takes to look at it). */
export async function survey({aws, clock}: Io): Promise<Survey> {
  const look = looks.get(aws) ?? together(() => lookAround(aws), {lasts: fresh, now: clock.now});
  looks.set(aws, look);
  const seen = await look.ask();
  // The next one may go well.
  if (seen.failed) look.changed();
  return seen;
}

async function lookAround(aws: Io['aws']): Promise<Survey> {
  const limit = pLimit(atOnce);
  const unseen: string[] = [];
  let failed = false;
  const part = async <T>(what: string, read: () => Promise<{readonly found: readonly T[]; readonly more: boolean}>) => {
    try {
      const {found, more} = await read();
      if (more) unseen.push(`only ${most} ${what} were looked at: there are more`);
      return found;
    } catch (error) {
      failed = true;
      unseen.push(`${what} could not be looked at: ${toTrouble(error).what}`);
      return [];
    }
  };
  /** What is left of these when those that cannot be looked at are left out: one may be forbidden, or gone meanwhile. */
  const each = async <From, T>(what: string, all: readonly From[], read: (one: From) => Promise<T>): Promise<readonly T[]> => {
    const ends = await Promise.allSettled(all.map(one => limit(() => read(one))));
    const errors = ends.flatMap(end => (end.status === 'rejected' ? [end.reason as unknown] : []));
    if (errors.length > 0) {
      if (errors.length === all.length) throw errors[0];
      failed = true;
      unseen.push(`${errors.length} of ${all.length} ${what} could not be looked at: ${toTrouble(errors[0]).what}`);
    }
    return ends.flatMap(end => (end.status === 'fulfilled' ? [end.value] : []));
  };
  const [rules, schedules, machines] = await Promise.all([
    part('rules', async () => {
      const buses = await part('event buses', async () => {
        const {buses: found, more} = await aws.events.buses(most);
        return {found, more};
      });
      // The default one is always there, whether or not the caller may list them.
      const lists = await each('event buses', [...new Set(['default', ...buses])], bus => aws.events.list(bus, most));
      const named = lists.flatMap(({rules}) => rules);
      const found = await each('rules', named.slice(0, most), async rule => ({
        rule,
        targets: (await aws.events.targets(rule)) ?? [],
      }));
      return {found, more: named.length > most || lists.some(({more}) => more)};
    }),
    part('schedules', async () => {
      const {schedules, more} = await aws.scheduler.list(most);
      const worth = schedules.filter(({target}) => mayStart(target) || isMachine(target));
      const found = await each('schedules', worth, name => aws.scheduler.schedule(name));
      return {found: found.filter(one => one !== undefined), more};
    }),
    part('state machines', async () => {
      const {arns, more} = await aws.sfn.list(most);
      const found = await each('state machines', arns, arn => aws.sfn.stateMachine(arn));
      return {found: found.filter(one => one !== undefined), more};
    }),
  ]);
  return {rules, schedules, machines, unseen, failed};
}

/** A place that starts a definition, wherever it is. */
export interface Found {
  readonly source: Source;
  readonly entry: Entry;
}

/** Everything that was seen to start what is wanted. */
export function startersOf(wanted: Wanted, {rules, schedules, machines}: Survey): readonly Found[] {
  const all: readonly (readonly [Source, readonly Entry[]])[] = [
    ...rules.map(({rule, targets}) => [{is: 'rule' as const, ...rule}, ruleEntries(targets, wanted)] as const),
    ...schedules.map(one => [scheduleSource(one), scheduleEntries(one, wanted)] as const),
    ...machines.map(({arn, definition}) => [{is: 'stateMachine' as const, machine: arn}, entriesIn(definition, wanted)] as const),
  ];
  return all.flatMap(([source, entries]) => entries.map(entry => ({source, entry})));
}

function entriesIn(definition: string, wanted: Wanted): readonly Entry[] {
  try {
    return machineEntries(definition, wanted);
  } catch {
    // Not ours to judge: what cannot be read is not known to start it.
    return [];
  }
}

function scheduleSource({GroupName: group = 'default', Name: name = ''}: Schedule): Source {
  return {is: 'schedule', group, name};
}

/** What starts a state machine by the clock. `other`: not the machine itself, but a version or an alias of it. */
export interface MachineTiming {
  readonly source: Source;
  readonly timing: Timing;
  readonly other: boolean;
}

/** The schedules that start a state machine; a rule's own timing is asked for here, for the survey has only its targets. */
export async function timingsOf(
  machine: string,
  {rules, schedules}: Survey,
  io: Pick<Io, 'aws'>,
): Promise<readonly MachineTiming[]> {
  const isIt = (arn: string | undefined) => arn !== undefined && unqualified(arn) === machine;
  const byRule = rules.flatMap(({rule, targets}) => targets.filter(({Arn}) => isIt(Arn)).map(({Arn}) => ({rule, arn: Arn})));
  const found = await Promise.all(
    byRule.map(async ({rule, arn}) => {
      const settings = await io.aws.events.rule(rule).catch(() => undefined);
      if (settings?.schedule === undefined) return [];
      const timing = {expression: settings.schedule, zone: 'UTC', enabled: settings.state !== 'DISABLED'};
      return [{source: {is: 'rule' as const, ...rule}, timing, other: arn !== machine}];
    }),
  );
  const bySchedule = schedules
    .filter(({Target}) => isIt(Target?.Arn))
    .map(one => ({source: scheduleSource(one), timing: timingOf(one), other: one.Target?.Arn !== machine}));
  return [...found.flat(), ...bySchedule];
}

/** Whatever starts a version or an alias of a state machine: what the machine itself names by now says nothing of those. */
export function aliased(machine: string, {rules, schedules}: Survey): readonly Source[] {
  const isOther = (arn = '') => arn !== machine && unqualified(arn) === machine;
  return [
    ...rules.flatMap(({rule, targets}) => (targets.some(({Arn}) => isOther(Arn)) ? [{is: 'rule' as const, ...rule}] : [])),
    ...schedules.flatMap(one => (isOther(one.Target?.Arn) ? [scheduleSource(one)] : [])),
  ];
}

function isMachine(arn: string): boolean {
  return /^arn:[^:]+:states:[^:]*:[^:]*:stateMachine:/.test(arn);
}
