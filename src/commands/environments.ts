/** Which environment a command is about. */
import {UsageError} from '../release/errors.ts';
import type {Application} from './application.ts';
import {placeOf} from './places.ts';

/** The named environment, or the only one there is. Throws a UsageError; `means` says what was not done. */
export function environmentOf({loaded}: Application, name: string | undefined, means: string): string {
  const [only, ...others] = Object.keys(loaded.config.environments);
  return namedEnvironment({loaded}, name ?? (others.length === 0 ? only : undefined), means);
}

/** The named environment: where something is changed, the only one there is is not meant until it is said. Throws a UsageError. */
export function namedEnvironment({loaded}: Pick<Application, 'loaded'>, name: string | undefined, means: string): string {
  if (name === undefined) {
    throw new UsageError('--env is missing: which environment?', {
      code: 'DW207',
      means,
      next: [`There are: ${Object.keys(loaded.config.environments).join(', ')}`],
    });
  }
  placeOf(loaded, name, {});
  return name;
}
