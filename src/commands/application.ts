/** An application as its config file describes it, with its records: what every command starts from. */
import path from 'node:path';
import {configNames, findConfig} from '../config/find.ts';
import type {LoadedConfig} from '../config/load.ts';
import {UsageError} from '../release/errors.ts';
import type {Store} from '../record/store.ts';
import {inCi} from './attended.ts';
import type {Context} from './context.ts';
import {cacheFolder, storeRoot} from './places.ts';

export interface Application {
  readonly loaded: LoadedConfig;
  readonly store: Store;
}

/** Where the config comes from. `remembered`: a file that was checked before, and is still the same, will do. */
type How = 'checked' | 'remembered';

/** Throws a UsageError when there is no config file, or a wrong one. `remembered`: for commands that only tell what records say. */
export async function openApplication(
  context: Context,
  configOption: string | undefined,
  how: How = 'checked',
): Promise<Application> {
  const loaded = await openConfig(context, configOption, how);
  const root = storeRoot(loaded, context);
  const [{openMedium}, {createStore, reader}, {provenIn}] = await Promise.all([
    import('../record/open.ts'),
    import('../record/store.ts'),
    import('../record/proven.ts'),
  ]);
  const medium = await openMedium(loaded.config.store ?? root, {
    env: context.env,
    from: loaded.folder,
    logs: root,
    sleep: ms => context.clock.sleep(ms, new AbortController().signal),
  });
  const proven = how === 'remembered' ? provenIn(path.join(cacheFolder(context), 'proven'), reader) : undefined;
  return {loaded, store: createStore(medium, context.clock, proven)};
}

/** What the config file says, without the records. Throws a UsageError when there is none, or a wrong one. */
export async function openConfig(context: Context, configOption: string | undefined, how: How): Promise<LoadedConfig> {
  const file = await configFile(context, configOption);
  if (file === undefined) {
    throw new UsageError(`there is no ${configNames[0]} in ${context.cwd} or above`, {
      code: 'DW201',
      means: 'Nothing was started.',
      next: ['Write one with `deploy-wizard init`, name one with --config <file>, or try `deploy-wizard demo`.'],
    });
  }
  if (how === 'checked') return (await import('../config/load.ts')).loadConfig(file, context.env);
  return (await import('../config/remembered.ts')).loadRemembered(file, context.env, cacheFolder(context));
}

/** The config file that a command is about; undefined where there is none. */
export async function configFile({cwd}: Pick<Context, 'cwd'>, configOption: string | undefined): Promise<string | undefined> {
  return configOption === undefined ? findConfig(cwd) : path.resolve(cwd, configOption);
}

/**
 * In CI nobody else's records are on the machine: a promotion gate (`requires:`) that reads them there would be shut for ever, or
 * open by an accident of the runner. Throws a UsageError.
 */
export function requireSharedStore({env}: Pick<Context, 'env'>, {loaded, store}: Application, environment: string): void {
  const gate = loaded.config.environments[environment]?.requires;
  if (gate === undefined || store.shared || !inCi({env})) return;
  throw new UsageError(
    `${loaded.path}: environments.${environment}.requires needs a store that CI shares, and it is ${store.place}`,
    {
      code: 'DW211',
      means: 'Nothing was started.',
      next: [
        'Set `store: s3://bucket/prefix` in the config file.',
        'What is recorded already moves with: deploy-wizard store migrate --from <folder> --to s3://bucket/prefix',
      ],
    },
  );
}
