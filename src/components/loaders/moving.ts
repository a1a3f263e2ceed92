/** The step that moves one source to the new revision: everything that it holds is read again, and sent back as it was. */
import pLimit, {type LimitFunction} from 'p-limit';
import * as z from 'zod';
import {type Results, type Step, step} from '../../release/contract.ts';
import {DeployError, UnsentError} from '../../release/errors.ts';
import {newRevision, registeredIn} from '../aws/task-definition.ts';
import type {Io} from '../io.ts';
import {moveByHand} from './by-hand.ts';
import {type Wanted, atRevision, parseReference, shortReference, wanted} from './reference.ts';
import {readSource} from './sources.ts';
import {type Reading, type Source, entryName, source, sourceKey, sourceName} from './target.ts';

/** A place that is to name another revision. `to`: null stands for the one that is registered. */
export const move = z.object({source, entry: z.string(), from: z.string(), to: z.number().nullable()});
export type Move = z.infer<typeof move>;

const request = z.object({
  source,
  wanted,
  moves: z.array(z.object({entry: z.string(), from: z.string(), to: z.string()})),
});
type Request = z.infer<typeof request>;

/** How often somebody else may get in between before it is a failure. */
const attempts = 5;

/** Moves all places of one source at once. `revisionOf`: the ARN of what is registered, from the results so far. */
export function moveStep(wanted: Wanted, moves: readonly [Move, ...Move[]], revisionOf: (results: Results) => string): Step<Io> {
  const [{source: target}] = moves;
  return step({
    id: `move ${sourceKey(target)}`,
    phase: 'apply',
    title: `move ${sourceName(target)} to it`,
    requestSchema: request,
    resultSchema: z.object({moved: z.number(), starts: z.string()}),
    request: async (_io: Io, results) => ({
      source: target,
      wanted,
      moves: moves.map(({entry, from, to}) => ({
        entry,
        from,
        to: atRevision(from, to ?? parseReference(revisionOf(results)).revision ?? 0),
      })),
    }),
    perform: (io, request) =>
      inTurn(io, request.source, async () => {
        await bringOver(io, request);
        await untilSeen(io, request);
        return told(request);
      }),
    settle: async (io, request) => {
      const reading = await readSource(request.source, request.wanted, io);
      return reading && isMoved(reading, request) ? {done: told(request)} : 'absent';
    },
    tell: ({starts}) => `${sourceName(target)} starts ${starts}`,
    byHand: (io, results) => {
      const registered = registeredIn(results);
      const known = registered === undefined ? undefined : parseReference(registered).revision;
      const places = moves.map(({entry, from, to}) => {
        const revision = to ?? known;
        return {entry, to: revision === undefined ? from.replace(/:\d+$/, `:${newRevision}`) : atRevision(from, revision)};
      });
      return moveByHand(target, wanted, places, io);
    },
  });
}

function told({moves}: Request) {
  return {moved: moves.length, starts: [...new Set(moves.map(({to}) => shortReference(to)))].join(', ')};
}

type Turns = Map<string, LimitFunction>;
const turns = new WeakMap<Io['aws'], Turns>();

/**
 * One after another where several components share a source: each sends all of it back, and would undo what the other one changed
 * in between. The next one begins when the change before is seen.
 */
function inTurn<T>(io: Io, source: Source, work: () => Promise<T>): Promise<T> {
  const known: Turns = turns.get(io.aws) ?? new Map<string, LimitFunction>();
  const key = sourceKey(source);
  const turn = known.get(key) ?? pLimit(1);
  turns.set(io.aws, known.set(key, turn));
  return turn(async () => {
    if (io.signal.aborted) throw new UnsentError(`stopped before ${sourceName(source)} was changed`);
    return work();
  });
}

async function bringOver(io: Io, {source, wanted, moves}: Request): Promise<void> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const reading = await readSource(source, wanted, io);
    const changes = moves.flatMap(({entry, from, to}) => {
      const starts = reading?.entries.find(({id}) => id === entry)?.starts;
      // Some of them may have moved already: PutTargets can take a part.
      if (starts === to) return [];
      if (starts !== from) throw notAsPlanned(source, entry, starts, from);
      return [[entry, to] as const];
    });
    if (reading === undefined || changes.length === 0) return;
    if ((await reading.write(new Map(changes))) === 'done') return;
    await io.clock.sleep(500 * attempt, io.signal);
  }
  throw new DeployError(`${sourceName(source)} is being changed by somebody else: ${attempts} times nothing was taken`, {
    means: 'It still starts what it started before.',
  });
}

function notAsPlanned(source: Source, entry: string, starts: string | undefined, from: string): DeployError {
  const place = [entryName(source, entry), sourceName(source)].filter(Boolean).join(' of ');
  const now = starts === undefined ? 'nothing of it' : shortReference(starts);
  return new DeployError(`${place} starts ${now}, not ${shortReference(from)} as planned`, {
    means: 'It was left as it is.',
    final: true,
  });
}

/** Seconds until what was written is read. */
const patience = 10;

/** Reads again what was written: an answer of success alone is no proof. */
async function untilSeen(io: Io, request: Request): Promise<void> {
  for (let look = 0; look < patience; look++) {
    const reading = await readSource(request.source, request.wanted, io);
    if (reading && isMoved(reading, request)) return;
    await io.clock.sleep(1000, io.signal);
  }
  throw new DeployError(`${sourceName(request.source)} took the change, and does not show it after ${patience} s`, {
    means: 'It may start either revision.',
    next: ['Look at it, then try again.'],
  });
}

function isMoved({entries}: Reading, {moves}: Request): boolean {
  return moves.every(({entry, to}) => entries.find(({id}) => id === entry)?.starts === to);
}
