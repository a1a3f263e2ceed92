/** Components of a config file, bound to what their kinds do. */
import {bindComponent} from '../components/index.ts';
import type {Io} from '../components/io.ts';
import {type LoadedConfig, componentSettings} from '../config/load.ts';
import type {Component} from '../release/contract.ts';
import {UsageError} from '../release/errors.ts';
import type {Context} from './context.ts';

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
          {code: 'DW204'},
        );
      }
    });
}
