/** Records and the config file: what a run was started with, and what of its words is no secret. */
import path from 'node:path';
import type {LoadedConfig} from '../config/load.ts';
import {config} from '../config/schema.ts';
import {type Redaction, createRedaction} from '../record/redact.ts';
import {vocabulary} from '../release/events.ts';

/** Hides what is learnt to be secret. What the record says in clear anyway is none: its own words, and the config file. */
export function redactionFor({source}: LoadedConfig, run: string): Redaction {
  return createRedaction([...vocabulary(), JSON.stringify(source), run]);
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
