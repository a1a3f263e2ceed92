/** A world to look at: nothing in it may be changed, nobody is asked, and what was made for it is gone afterwards. */
import {rm} from 'node:fs/promises';
import {type Stop, createStop} from '../release/contract.ts';
import type {LoadedConfig} from '../config/load.ts';
import {createJobLogs} from '../record/logs.ts';
import type {Redaction} from '../record/redact.ts';
import type {Context} from './context.ts';
import type {Store} from '../record/store.ts';
import {unfinishedChange} from './in-between.ts';
import {temporaryFolder} from './scratch.ts';
import {type World, createWorld} from './world.ts';

/** Calls `look` with a read-only world of an environment. An interrupt stops it. */
export async function looking<T>(
  context: Context,
  {
    loaded,
    environment,
    version,
    redaction,
    store,
  }: {
    readonly loaded: LoadedConfig;
    readonly environment: string;
    readonly version: string;
    readonly redaction: Redaction;
    /** The application's records. */
    readonly store: Store;
  },
  look: (world: World, stop: Stop) => Promise<T>,
): Promise<T> {
  const scratch = temporaryFolder(context.env);
  const world = createWorld(context, {
    loaded,
    environment,
    version,
    logs: createJobLogs(undefined, redaction),
    redaction,
    scratch,
    lastDuration: undefined,
    unfinished: component => unfinishedChange(store, environment, component),
    readOnly: true,
    unproven: new Set(),
    attended: false,
    allowed: () => false,
    onProgress: () => undefined,
  });
  const stop = createStop();
  const quiet = context.onSignal(signal => stop.request({do: 'stop', by: signal === 'SIGINT' ? signal : 'SIGTERM'}));
  try {
    return await look(world, stop);
  } finally {
    quiet();
    await rm(scratch, {recursive: true, force: true});
  }
}
