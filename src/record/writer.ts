/** A chain being written: appends in order, those that wait together in one go. */
import type {Clock} from '../release/contract.ts';
import {type Head, type Link, seal} from './chain.ts';
import {RecordError, cannotWrite} from './errors.ts';
import type {Journal} from './medium.ts';

/** Appends are ordered; each resolves when its line is safe. */
export interface Writer<E> {
  /** Where people look for it: a folder, or `s3://…`. */
  readonly place: string;
  /** The folder on this machine for the logs of its jobs. */
  readonly logs: string;
  append(event: E): Promise<E & Link>;
  head(): Head;
  close(): Promise<void>;
}

interface Waiting<E> {
  readonly event: E;
  resolve(recorded: E & Link): void;
  reject(error: unknown): void;
}

/** Goes on behind `from`. */
export function createWriter<E extends object>(journal: Journal, from: Head, clock: Pick<Clock, 'now'>): Writer<E> {
  let now = from;
  let broken: RecordError | undefined;
  let waiting: Waiting<E>[] = [];
  let work: Promise<void> = Promise.resolve();

  const write = async (events: readonly E[]): Promise<readonly (E & Link)[]> => {
    if (broken) throw broken;
    const at = new Date(clock.now()).toISOString();
    const recorded: (E & Link)[] = [];
    const lines: string[] = [];
    let after = now;
    for (const event of events) {
      const sealed = seal(event, at, after);
      recorded.push({...event, seq: after.length, at, prev: after.hash});
      lines.push(`${sealed.line}\n`);
      after = sealed.head;
    }
    try {
      await journal.append(Buffer.from(lines.join('')), now.length);
      now = after;
      // After the lines: a head that is behind is normal, one that is ahead means that lines were cut.
      await journal.writeHead(now);
    } catch (error) {
      const failed = error instanceof RecordError ? error : cannotWrite(journal.place, error);
      if (failed.forGood) broken = failed;
      throw failed;
    }
    return recorded;
  };

  /** Lines that could not be written fail their own appends; the next ones try again. */
  const writeWaiting = async (): Promise<void> => {
    const batch = waiting;
    waiting = [];
    try {
      const recorded = await write(batch.map(({event}) => event));
      recorded.forEach((line, index) => batch[index]?.resolve(line));
    } catch (error) {
      for (const {reject} of batch) reject(error);
    }
  };

  return {
    place: journal.place,
    logs: journal.logs,
    head: () => now,
    append: event =>
      new Promise((resolve, reject) => {
        waiting.push({event, resolve, reject});
        // The first that waits starts the next batch; whoever comes until that begins goes along.
        if (waiting.length === 1) work = work.then(writeWaiting);
      }),
    close: async () => {
      await work;
      await journal.close();
    },
  };
}
