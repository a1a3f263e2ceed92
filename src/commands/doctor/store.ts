/** Whether records can be kept where the config file says. Changes nothing. */
import {access, constants, stat} from 'node:fs/promises';
import path from 'node:path';
import {isS3} from '../../record/place.ts';
import {DeployError, inOneLine, toTrouble} from '../../release/errors.ts';
import type {Check} from '../../release/model.ts';
import type {Application} from '../application.ts';

/** No environment can have this name, and no object an ETag such as this: what is written under both conditions is never there. */
const nowhere = {environment: '.doctor', version: '"deploy-wizard doctor"'};

export async function storeCheck({loaded, store}: Application): Promise<Check> {
  const check = {claim: 'store', text: 'records'};
  try {
    const names = Object.keys(loaded.config.environments);
    const runs = await Promise.all(names.map(name => store.runs(name)));
    if (isS3(store.place)) await store.lock(nowhere.environment).swap('{}', nowhere.version);
    else await mayBeMade(store.place);
    const count = runs.flat().length;
    const seen = store.shared ? 'shared' : 'on this machine only';
    return {...check, status: 'passed', found: `${store.place}, ${count === 1 ? '1 run' : `${count} runs`}, ${seen}`};
  } catch (error) {
    const {what, next} = toTrouble(error);
    return {
      ...check,
      status: 'failed',
      found: `${store.place}: ${what}`,
      next: (next && inOneLine(next)) ?? 'Set `store:` in the config file to a place that you may write to.',
    };
  }
}

/** Throws where a file is in the way, or no folder can be made. */
async function mayBeMade(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found === undefined && path.dirname(folder) !== folder) return mayBeMade(path.dirname(folder));
  if (!found?.isDirectory()) throw new DeployError(`${folder} is not a folder`);
  await access(folder, constants.W_OK);
}
