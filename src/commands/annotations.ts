/** An error that ended a command, as GitHub shows it: mistakes in the config file at their lines. */
import path from 'node:path';
import {type DeployError, toTrouble} from '../release/errors.ts';
import {failure, mistake, onGitHub} from '../views/github.ts';
import type {Context} from './context.ts';

/** None elsewhere than on GitHub. */
export function annotationsOf(env: Context['env'], error: DeployError): readonly string[] {
  if (!onGitHub(env)) return [];
  const mistakes = error.message.split('\n').flatMap(line => mistake(line, file => fileOnGitHub(env, file)) ?? []);
  return mistakes.length > 0 ? mistakes : [failure('deploy-wizard', toTrouble(error), undefined)];
}

/** As annotations name files: from the root of the repository. */
export function fileOnGitHub(env: Context['env'], file: string): string {
  const root = env['GITHUB_WORKSPACE'];
  const relative = root === undefined ? '' : path.relative(root, file);
  return relative === '' || relative.startsWith('..') ? file : relative;
}
