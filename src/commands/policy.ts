/** What is let through without a person: by the environment's policy, and by flags of the command line. */
import type {LoadedConfig} from '../config/load.ts';
import type {Flag} from '../release/words.ts';
import type {Allowance} from '../release/policy.ts';

/** What the environment's policy lets through by itself; nothing for an environment that is not named yet. */
export function policyOf({config}: LoadedConfig, environment: string | undefined): readonly Allowance[] {
  return (config.environments[environment ?? '']?.policy.allow ?? []).map(what => ({what}));
}

/** Whether one of them lets a flag through, for every component or for one. */
export function allows(allowances: readonly Allowance[]): (flag: Flag, component: string) => boolean {
  return (flag, component) =>
    allowances.some(allowance => allowance.what === flag && (allowance.component ?? component) === component);
}
