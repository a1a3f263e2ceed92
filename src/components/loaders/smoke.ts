/**
 * `smoke: true`: one run of the new revision must succeed before any schedule is moved to it. It runs as an existing target
 * would start it. The step holds no settings of the target, which may be secret: they are read where they are needed.
 */
import * as z from 'zod';
import {type Results, type Settled, type Step, step} from '../../release/contract.ts';
import {DeployError, StoppedError, toTrouble} from '../../release/errors.ts';
import {fingerprint} from '../../release/hash.ts';
import type {Input} from '../aws/containers.ts';
import {aws} from '../by-hand.ts';
import type {Io} from '../io.ts';
import {type Wanted, shortReference, wanted} from './reference.ts';
import {type RunState, runsOf} from './runs.ts';
import {readSource} from './sources.ts';
import {source, sourceName} from './target.ts';

/** Whose settings it runs with, and for how long at most. */
export const smokePlan = z.object({source, entry: z.string(), within: z.number()});
export type SmokePlan = z.infer<typeof smokePlan>;

const request = smokePlan.extend({
  wanted,
  /** ARN of the revision. */
  definition: z.string(),
  containers: z.array(z.string()),
  /** What the run carries, and is found by. */
  token: z.string(),
  /** When it was begun, in milliseconds since the epoch. */
  at: z.number(),
});
type Request = z.infer<typeof request>;

const result = z.object({run: z.string(), seconds: z.number()});
type Result = z.infer<typeof result>;

export function smokeStep(
  wanted: Wanted,
  plan: SmokePlan,
  containers: readonly string[],
  revisionOf: (results: Results) => string,
  /** The same for a command that somebody types. */
  revisionToType: (results: Results) => string,
): Step<Io> {
  return step({
    id: 'smoke',
    phase: 'apply',
    title: 'one run of it must succeed first',
    requestSchema: request,
    resultSchema: result,
    request: async (io: Io, results) => {
      const definition = revisionOf(results);
      const at = io.clock.now();
      return {
        ...plan,
        wanted,
        definition,
        containers: [...containers],
        // ECS and Batch take letters, digits and hyphens; ECS at most 36 of them in every version of its API.
        token: `deploy-wizard-${fingerprint({component: io.component, definition, at}).slice(0, 16)}`,
        at,
      };
    },
    perform: async (io, request) => {
      const settings = await settingsFor(request, io);
      const run = await runsOf[request.wanted.service].start(request.definition, request.token, settings, io);
      io.log(`The smoke run is ${run}`);
      return watched(run, request, settings, io);
    },
    settle: (io, request) => settle(io, request),
    tell: ({run, seconds}) => `${shortReference(run)} succeeded after ${seconds} s`,
    byHand: (io, results) => ({
      note: `with all else as ${sourceName(plan.source)} starts it, and it has to succeed before anything is moved`,
      commands: [aws(io, ...runsOf[wanted.service].typed(revisionToType(results)))],
    }),
  });
}

/** A stopped task is forgotten after about an hour (facts/aws.md, limits): from then on its absence says nothing. */
const remembered = 50 * 60_000;

async function settle(io: Io, request: Request): Promise<Settled<Result>> {
  const settings = await settingsFor(request, io);
  const run = await runsOf[request.wanted.service].find(request.definition, request.token, settings, io);
  if (run === undefined) return io.clock.now() - request.at > remembered ? 'unknown' : 'absent';
  try {
    return {done: await watched(run, request, settings, io)};
  } catch (error) {
    if (error instanceof DeployError && !(error instanceof StoppedError)) return {failed: error};
    throw error;
  }
}

async function settingsFor({source, entry, wanted}: Request, io: Io): Promise<Input> {
  const reading = await readSource(source, wanted, io);
  const launch = reading?.entries.find(({id}) => id === entry)?.launch() ?? {problem: 'it starts it no more'};
  if ('request' in launch) return launch.request;
  throw new DeployError(`the smoke run cannot be started as ${sourceName(source)} would: ${launch.problem}`, {
    means: 'Nothing was run, and no schedule was moved.',
    final: true,
  });
}

/** Milliseconds between two looks. */
const interval = 2000;

/** Waits for its end. Throws where it failed, or takes too long. */
async function watched(run: string, request: Request, settings: Input, io: Io): Promise<Result> {
  const {state, see} = runsOf[request.wanted.service];
  const revision = shortReference(request.definition);
  const until = request.at + request.within;
  const look = async (): Promise<RunState> => {
    try {
      return await state(run, settings, request.containers, io);
    } catch (error) {
      if (error instanceof StoppedError) throw error;
      // A look that fails says nothing of the run.
      return {is: 'going', text: toTrouble(error).what};
    }
  };
  let last = '';
  for (;;) {
    const now = await look();
    if (now.is === 'ended') {
      if (now.failure === undefined) return {run, seconds: Math.round((io.clock.now() - request.at) / 1000)};
      await copyLog(run, request, io);
      throw new DeployError(`the smoke run of ${revision} failed: ${now.failure}`, {
        means: `${revision} is registered, and no schedule was moved to it.`,
        next: [`Look at it: ${see(run, settings)}`],
      });
    }
    if (now.text !== last) io.log(`${shortReference(run)}: ${now.text}`);
    last = now.text;
    io.progress({text: `smoke run: ${now.text}`});
    if (io.clock.now() >= until) {
      throw new DeployError(`the smoke run of ${revision} has not ended within ${minutes(request.within)} (${now.text})`, {
        means: 'It was left running, and no schedule was moved.',
        next: [`Look at it: ${see(run, settings)}`],
      });
    }
    await io.clock.sleep(interval, io.signal);
  }
}

/** Lines of the run's log that are kept with those of the job. */
const lines = 20;
/** How often the log is looked for: what a container wrote last arrives a moment after it has ended. */
const looks = 3;

/** Copies its last words into the job's log while they exist. What may not be read is said, and hides no failure. */
async function copyLog(run: string, {definition, containers, wanted}: Request, io: Io): Promise<void> {
  try {
    const log = await runsOf[wanted.service].log(run, definition, containers, io);
    if (log === undefined) return;
    if ('unread' in log) return io.log(log.unread);
    for (let look = 1; look <= looks; look++) {
      const said = (await io.aws.logs.tail(log, lines)) ?? [];
      if (said.length > 0) {
        io.log(`Its last lines (${log.group}):`);
        said.forEach(line => io.log(`  ${line.trimEnd()}`));
        return;
      }
      await io.clock.sleep(1000, io.signal);
    }
  } catch (error) {
    if (error instanceof StoppedError) throw error;
    io.log(`Its log could not be read: ${toTrouble(error).what}`);
  }
}

/** `15 min` of milliseconds, for people. */
export function minutes(ms: number): string {
  return ms < 60_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 6000) / 10} min`;
}
