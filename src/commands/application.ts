/** An application as its config file describes it, with its records: what every command starts from. */
import path from 'node:path';
import {bindComponent} from '../components/index.ts';
import type {Io} from '../components/io.ts';
import {config} from '../config/schema.ts';
import {type LoadedConfig, componentSettings, configNames, findConfig, loadConfig} from '../config/load.ts';
import type {Component} from '../release/contract.ts';
import {UsageError} from '../release/errors.ts';
import {vocabulary} from '../release/events.ts';
import {type Store, fileStore} from '../record/file-store.ts';
import {type Redaction, createRedaction} from '../record/redact.ts';
import type {Context} from './context.ts';
import {storeRoot} from './world.ts';

export interface Application {
  readonly loaded: LoadedConfig;
  readonly store: Store;
}

/** Throws a UsageError when there is no config file, or a wrong one. */
export async function openApplication(context: Context, configOption: string | undefined): Promise<Application> {
  const file = configOption === undefined ? await findConfig(context.cwd) : path.resolve(context.cwd, configOption);
  if (file === undefined) {
    throw new UsageError(`there is no ${configNames[0]} in ${context.cwd} or above`, {
      means: 'Nothing was started.',
      next: ['Name one with --config <file>, write one (README, "The config file"), or try `deploy-wizard demo`.'],
    });
  }
  const loaded = await loadConfig(file, context.env);
  return {loaded, store: fileStore(storeRoot(loaded, context), context.clock)};
}

/** Hides what is learnt to be secret. What the record says in clear anyway is none: its own words, and the config file. */
export function redactionFor({source}: LoadedConfig, run: string): Redaction {
  return createRedaction([...vocabulary(), JSON.stringify(source), run]);
}

/** The chosen components, bound to their kinds with their references replaced, in the order of the config. */
export function bindComponents(
  loaded: LoadedConfig,
  context: Context,
  choice: {readonly environment: string; readonly version: string; readonly components: readonly string[]},
): readonly Component<Io>[] {
  const {environment, version} = choice;
  const values = loaded.config.environments[environment]?.values ?? {};
  return Object.entries(loaded.config.components)
    .filter(([id]) => choice.components.includes(id))
    .map(([id, {kind}]) => {
      const settings = componentSettings(loaded, id, {version, environment, values, env: context.env});
      try {
        return bindComponent(kind, id, settings);
      } catch (error) {
        throw new UsageError(
          `${loaded.path}: components.${id}, with its references replaced: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    });
}

/** The config as it was when the run started: what was approved was approved with it. */
export function asRecorded(started: {readonly config: LoadedConfig['source']; readonly configPath: string}): LoadedConfig {
  return {
    path: started.configPath,
    folder: path.dirname(started.configPath),
    config: config.parse(started.config),
    source: started.config,
  };
}
