/** What is there now. The tfvars file says it, unless a change was begun and never seen to its end: then a plan has to. */
import * as z from 'zod';
import type {Named, Observed} from '../../release/contract.ts';
import {StoppedError, toTrouble} from '../../release/errors.ts';
import {readText} from '../../tools/files.ts';
import type {Io, UnfinishedChange} from '../io.ts';
import {type TerraformConfig, type TerraformState, pathsOf, terraformState} from './config.ts';
import {pushedDigest} from './pushed.ts';
import {currentValues, versionIn} from './set-values.ts';
import {leftToDo} from './settled.ts';
import {observeSource} from './source/released.ts';

export async function observeTerraform(component: Named<TerraformConfig>, io: Io): Promise<Observed<TerraformState>> {
  const {varFile} = pathsOf(component, io);
  const set = currentValues((await readText(varFile)).text, varFile, component.set);
  const between = await inBetween(component, io);
  const version = between === undefined ? versionIn(set, component.set, io.version) : undefined;
  const source = component.source && (await observeSource(component, component.source, version, io));
  // Where the registry does not answer, what is there is known all the same.
  const digest = version === undefined ? undefined : await pushedDigest(component, version, io).catch(() => undefined);
  const before = between?.before && terraformState.safeParse(between.before.state).data;
  return {
    version,
    state: {set, digest: digest ?? null},
    ...source,
    ...(component.source && digest && {digests: {[component.source.build.image]: digest}}),
    ...(before && {before: {version: between.before?.version, state: before}}),
  };
}

const planned = z.object({varFile: z.string(), addresses: z.array(z.string())});

/**
 * The change that is in between: begun, as the records say, and with something left to do, as a plan of the file as it is says. Where
 * that cannot be planned nobody knows, and it is in between. Undefined where what the file says is there.
 */
export async function inBetween(component: Named<TerraformConfig>, io: Io): Promise<UnfinishedChange | undefined> {
  const change = await io.unfinished();
  const what = change && planned.safeParse(change.payload).data;
  if (change === undefined || what === undefined) return change;
  try {
    const {left} = await leftToDo(component, what, io);
    return left.length === 0 ? undefined : change;
  } catch (error) {
    if (error instanceof StoppedError) throw error;
    io.log(`Whether the release of ${change.version} has left something to do cannot be told: ${toTrouble(error).what}`);
    return change;
  }
}
