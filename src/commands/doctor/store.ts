/** Whether records can be kept where the config file says. Changes nothing. */
import {access, constants} from 'node:fs/promises';
import path from 'node:path';
import {isS3} from '../../record/place.ts';
import {toTrouble} from '../../release/errors.ts';
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
    else await access(await nearestFolder(store.place), constants.W_OK);
    const count = runs.flat().length;
    const seen = store.shared ? 'shared' : 'on this machine only';
    return {...check, status: 'passed', found: `${store.place}, ${count === 1 ? '1 run' : `${count} runs`}, ${seen}`};
  } catch (error) {
    const {what, next} = toTrouble(error);
    return {
      ...check,
      status: 'failed',
      found: `${store.place}: ${what}`,
      next: next?.join(' ') ?? 'Set `store:` in the config file to a place that you may write to.',
    };
  }
}

/** The folder itself, or where it would be made. */
async function nearestFolder(folder: string): Promise<string> {
  const there = await access(folder).then(
    () => true,
    () => false,
  );
  return there || path.dirname(folder) === folder ? folder : nearestFolder(path.dirname(folder));
}
