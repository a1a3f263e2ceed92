/** What is let through without a person: by the environment's policy, and by flags of the command line. */
import type {LoadedConfig} from '../config/load.ts';
import {orRather} from '../config/nearest.ts';
import {UsageError} from '../release/errors.ts';
import type {Flag} from '../release/words.ts';
import {type Allowance, parseAllowance} from '../release/policy.ts';

/** What the environment's policy lets through by itself; nothing for an environment that is not named yet. */
export function policyOf({config}: LoadedConfig, environment: string | undefined): readonly Allowance[] {
  return (config.environments[environment ?? '']?.policy.allow ?? []).map(what => ({what}));
}

/** What `--allow` lets through. Throws a UsageError for what is no risk or flag, or names a component that there is not. */
export function allowancesOf({config}: LoadedConfig, given: readonly string[]): readonly Allowance[] {
  const known = Object.keys(config.components);
  return given.map(text => {
    const allowance = parseAllowance(text);
    const {component} = allowance;
    if (component === undefined || known.includes(component)) return allowance;
    throw new UsageError(`--allow ${text}: there is no such component`, {
      code: 'DW206',
      means: 'Nothing was started.',
      next: orRather(component, known, ''),
    });
  });
}

/** Whether one of them lets a flag through, for every component or for one. */
export function allows(allowances: readonly Allowance[]): (flag: Flag, component: string) => boolean {
  return (flag, component) =>
    allowances.some(allowance => allowance.what === flag && (allowance.component ?? component) === component);
}
