/** The records as a whole: from one store to another. */
import {UsageError, exitCodes} from '../release/errors.ts';
import {copyLock} from '../record/lock.ts';
import {copyRecords} from '../record/migrate.ts';
import {openMedium} from '../record/open.ts';
import {lineFor, marks} from '../views/words.ts';
import type {Context} from './context.ts';
import {stateFolder} from './places.ts';

export interface StoreOptions {
  readonly from?: string;
  readonly to?: string;
}

/**
 * Copies every record, verified. May be called again, after an interruption or for what has been recorded since. Exit 1 when a
 * record was refused, 4 when somebody is at work in an environment.
 */
export async function storeCommand(context: Context, {from, to}: StoreOptions): Promise<number> {
  if (from === undefined || to === undefined) {
    throw new UsageError('store migrate needs --from and --to: a folder, or s3://bucket/prefix', {means: 'Nothing was copied.'});
  }
  const opening = {
    env: context.env,
    from: context.cwd,
    logs: stateFolder(context),
    sleep: (ms: number) => context.clock.sleep(ms, new AbortController().signal),
  };
  const [source, target] = [await openMedium(from, opening), await openMedium(to, opening)];
  if (source.place === target.place) throw new UsageError('--from and --to are the same store', {means: 'Nothing was copied.'});
  const environments = await source.environments();
  if (environments.length === 0) throw new UsageError(`there are no records in ${source.place}`, {means: 'Nothing was copied.'});

  const plain = lineFor(context.env);
  const {good, bad} = marks(context.env);
  const counts = {copied: 0, 'there already': 0, refused: 0};
  for (const environment of environments) {
    // Whoever is at work there would write on in the old store, unseen in the new one.
    await copyLock(source.cell(environment), target.cell(environment), context.host, environment);
    await copyRecords(source, target, environment, ({name, is, note}) => {
      counts[is] += 1;
      const more = note === undefined ? '' : `: ${note}`;
      context.stdout.write(`${is === 'refused' ? bad : good} ${plain(`${environment} ${name}   ${is}${more}`)}\n`);
    });
  }
  const {copied, refused} = counts;
  context.stdout.write(
    `${copied} copied, ${counts['there already']} there already, ${refused} refused. Logs of jobs stay where they are.\n` +
      (refused === 0 ? `Now set \`store: ${plain(to)}\` in the config file.\n` : ''),
  );
  return refused === 0 ? exitCodes.done : exitCodes.failed;
}
