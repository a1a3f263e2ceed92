/** The runs of an environment, newest first. A record that cannot be read is named where it stands. */
import {exitCodes} from '../release/errors.ts';
import type {LogEntry} from '../views/log.ts';
import {logLines} from '../views/log.ts';
import {jsonText} from '../views/ndjson.ts';
import {kindOf} from '../release/standing.ts';
import {openApplication} from './application.ts';
import type {Context} from './context.ts';
import type {Output} from './frontends.ts';
import {environmentOf} from './environments.ts';
import {type ReadRun, readRuns} from './records.ts';

export interface LogOptions {
  readonly config?: string;
  readonly env?: string;
  readonly output: Output;
  /** How many runs. */
  readonly number: number;
}

export async function logCommand(context: Context, options: LogOptions): Promise<number> {
  const application = await openApplication(context, options.config, 'remembered');
  const environment = environmentOf(application, options.env, 'Nothing was looked at.');
  const entries: LogEntry[] = [];
  for await (const run of readRuns(application.store, environment)) {
    entries.push(entryOf(run));
    if (entries.length === options.number) break;
  }
  const {application: name} = application.loaded.config;
  const text =
    options.output === 'json'
      ? jsonText({schema: 1, application: name, environment, runs: entries})
      : logLines(context.env, {environment, entries}).join('\n');
  context.stdout.write(`${text}\n`);
  return exitCodes.done;
}

function entryOf({run, recorded, record, problem}: ReadRun): LogEntry {
  const {started, finished} = recorded?.history ?? {};
  return {
    run,
    ...(recorded &&
      started && {
        kind: kindOf(recorded),
        version: started.version,
        components: started.components.map(({id}) => id),
        at: recorded.began,
        by: started.by,
        ...(started.reason !== undefined && {reason: started.reason}),
      }),
    ...(recorded &&
      finished && {
        outcome: finished.outcome,
        text: finished.text,
        durationMs: Date.parse(recorded.ended) - Date.parse(recorded.began),
      }),
    ...(record && {head: record.head}),
    ...(problem !== undefined && {problem}),
  };
}
