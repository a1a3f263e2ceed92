/** What the config file says of the environment that a run goes to, as the record of the run has it. */
import type {EventOf} from '../../../release/events.ts';
import type {Json} from '../../../release/json.ts';
import type {Allowance} from '../../../release/policy.ts';
import {flags, risks} from '../../../release/words.ts';

export interface RunSettings {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  /** What `--yes` may approve there by itself. */
  readonly allow: readonly Allowance['what'][];
}

/** Never throws: what a config of another version says otherwise is not said. */
export function settingsOf({config, environment: name}: EventOf<'run.started'>): RunSettings {
  const environment = part(part(config, 'environments'), name);
  const aws = part(environment, 'aws');
  const allow = part(part(environment, 'policy'), 'allow');
  return {
    account: text(part(aws, 'accountId')),
    region: text(part(aws, 'region')),
    profile: text(part(aws, 'profile')),
    allow: Array.isArray(allow) ? allow.flatMap(allowed) : [],
  };
}

/** All that `--yes` would let through in this run: its flags, and what the environment's policy says. */
export function allowancesOf(started: EventOf<'run.started'>): readonly Allowance[] {
  const given = started.allow.flatMap(text => {
    const [name, component] = text.split(':');
    return allowed(name).map(what => ({what, ...(component !== undefined && {component})}));
  });
  return [...given, ...settingsOf(started).allow.map(what => ({what}))];
}

function part(of: Json | undefined, name: string): Json | undefined {
  if (typeof of !== 'object' || of === null || Array.isArray(of) || !Object.hasOwn(of, name)) return undefined;
  return Object.entries(of).find(([key]) => key === name)?.[1];
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The risk or flag of that name; nothing where it is none. */
function allowed(name: unknown): readonly Allowance['what'][] {
  return [...risks, ...flags].filter(word => word === name);
}
