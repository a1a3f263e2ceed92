/** At the end of a release that went well: the items of the checklist that come after it, offered to whoever is there. */
import {type Item, tickOf} from '../release/checklist.ts';
import {StoppedError} from '../release/errors.ts';
import type {Choice} from '../release/form.ts';
import {lineFor, marks} from '../views/words.ts';
import type {Application} from './application.ts';
import type {Context} from './context.ts';
import {readTicks} from './records.ts';
import {writeTick} from './tick.ts';

/** Items that nobody has ticked for this version. */
export async function openItems({loaded, store}: Application, {environment, version}: Choice): Promise<readonly Item[]> {
  const {checklist} = loaded.config;
  if (checklist.length === 0) return [];
  const {ticks} = await readTicks(store, environment, version);
  return checklist.filter(({id}) => tickOf(id, ticks) === undefined);
}

/** Asks about each item, one after the other: a text is what was done, Enter leaves it open. Ctrl-C and Ctrl-D leave all that are left. */
export async function offerTicks(context: Context, {store}: Application, choice: Choice, items: readonly Item[]): Promise<void> {
  const {stdin, stdout, stderr, env} = context;
  if (!stdin.isTTY || !stdout.isTTY) return;
  const plain = lineFor(env);
  const {askForText} = await import('../views/prompts.ts');
  // A view that has had the terminal no longer keeps the process waiting for it.
  stdin.ref();
  for (const {id, text} of items.filter(({when}) => when === 'after')) {
    const said = await askForText(`${id}: ${text}. Say what was done, or Enter`, {input: stdin, output: stderr}).catch(
      (error: unknown) => {
        if (error instanceof StoppedError) return undefined;
        throw error;
      },
    );
    if (said === undefined) return;
    const note = said.trim();
    if (note === '') continue;
    const {environment, version} = choice;
    const tick = /^https?:\/\/\S+$/.test(note) ? {link: note} : {note};
    const {hash} = await writeTick(context, store, {environment, version, item: id, ...tick});
    stderr.write(`${marks(env).good} ${plain(`${id} is ticked`)}   head ${hash}\n`);
  }
}
