/** Which environment a command is about. */
import {UsageError} from '../release/errors.ts';
import type {Application} from './application.ts';
import {placeOf} from './places.ts';

/** The named environment, or the only one there is. Throws a UsageError; `means` says what was not done. */
export function environmentOf({loaded}: Application, name: string | undefined, means: string): string {
  const [only, ...others] = Object.keys(loaded.config.environments);
  const environment = name ?? (others.length === 0 ? only : undefined);
  if (environment === undefined) throw new UsageError('--env is missing: which environment?', {code: 'DW207', means});
  placeOf(loaded, environment, {});
  return environment;
}
