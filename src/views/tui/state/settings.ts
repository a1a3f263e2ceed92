/** What the config file says of the environment that a run goes to, as the record of the run has it. */
import * as z from 'zod';
import type {EventOf} from '../../../release/events.ts';
import {flag, risk} from '../../../release/model.ts';
import type {Allowance} from '../../../release/policy.ts';

const allowed = z.union([risk, flag]);

const environment = z.object({
  aws: z.object({accountId: z.string().optional(), region: z.string().optional(), profile: z.string().optional()}).optional(),
  policy: z.object({allow: z.array(allowed).default([])}).optional(),
});

const source = z.object({environments: z.record(z.string(), z.unknown())});

export interface RunSettings {
  readonly account?: string | undefined;
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  /** What `--yes` may approve there by itself. */
  readonly allow: readonly z.infer<typeof allowed>[];
}

/** Never throws: what a config of another version says otherwise is not said. */
export function settingsOf({config, environment: name}: EventOf<'run.started'>): RunSettings {
  const {data} = source.safeParse(config);
  const read = environment.safeParse(data?.environments[name]).data;
  const {accountId, region, profile} = read?.aws ?? {};
  return {account: accountId, region, profile, allow: read?.policy?.allow ?? []};
}

/** All that `--yes` would let through in this run: its flags, and what the environment's policy says. */
export function allowancesOf(started: EventOf<'run.started'>): readonly Allowance[] {
  const flags = started.allow.flatMap(text => {
    const [name, component] = text.split(':');
    const {data: what} = allowed.safeParse(name);
    return what === undefined ? [] : [{what, ...(component !== undefined && {component})}];
  });
  return [...flags, ...settingsOf(started).allow.map(what => ({what}))];
}
