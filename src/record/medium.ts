/**
 * Where records are kept: a folder, or a bucket. A medium knows names and bytes, nothing of events, chains or locks;
 * what is made of them (store.ts, lock.ts) is the same on both.
 */
import type {Head} from './chain.ts';

export interface Medium {
  /** Where it is, for people: a folder, or `s3://bucket/prefix`. */
  readonly place: string;
  /** Whether other machines see it: what a promotion gate needs in CI. */
  readonly shared: boolean;
  /** Whether a crash may leave half a line at the end. Where lines appear whole or not at all, half a line was made by somebody. */
  readonly tears: boolean;
  environments(): Promise<readonly string[]>;
  /** Names of the journals of an environment, in order. */
  journals(environment: string): Promise<readonly string[]>;
  /** What a journal holds; undefined when there is none of that name. */
  read(environment: string, name: string): Promise<Stored | undefined>;
  /** Begins a journal; undefined when the name is taken. Exactly one of many who ask for a name gets it. */
  create(environment: string, name: string): Promise<Journal | undefined>;
  /** Goes on with a journal behind its whole lines. What is behind them (a torn line) is cut off. */
  open(environment: string, name: string, behind: {readonly lines: number; readonly bytes: number}): Promise<Journal>;
  /** What an environment's lock is kept in. */
  cell(environment: string): Cell;
  /** Where people look for the journals of an environment, or for one of them. */
  placeOf(environment: string, name?: string): string;
}

/** What is stored of a journal. `head` is undefined where there is none; one that cannot be read names more than can be there. */
export interface Stored {
  readonly bytes: Buffer;
  readonly head: Head | undefined;
}

/** A journal that is being written, by one writer: a second one is noticed at its next append. */
export interface Journal {
  /** Where people look for it. */
  readonly place: string;
  /** The folder on this machine for the logs of its jobs. */
  readonly logs: string;
  /** Appends whole lines, the first of which is number `seq`; resolves when they are safe. Throws a RecordError when they are not. */
  append(lines: Buffer, seq: number): Promise<void>;
  /** Says how far the journal reaches, after the lines: a head that is behind is normal. Throws a RecordError. */
  writeHead(head: Head): Promise<void>;
  close(): Promise<void>;
}

/**
 * One small text that many may want to change. Nobody changes it without having read what is there: of several who read the same
 * version, one can put another text in its place.
 */
export interface Cell {
  /** Undefined: nothing was ever put there. */
  read(): Promise<CellContent | undefined>;
  /** Puts `text` in the place of version `was` (undefined: of nothing). The new version; undefined when somebody was faster. */
  swap(text: string, was: string | undefined): Promise<string | undefined>;
  /** Whether a process of this machine wrote it: only then can be told here whether it still runs. */
  readonly local: boolean;
  /** For people: where it is. */
  readonly place: string;
}

export interface CellContent {
  readonly text: string;
  readonly version: string;
  /** Milliseconds since it was put there, by the medium's own clock: the clocks of two machines may differ by hours. */
  age(): Promise<number>;
}
