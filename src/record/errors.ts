/** Records that cannot be written, in words. */
import {DeployError, exitCodes} from '../release/errors.ts';
import {isS3} from './place.ts';

/** The record cannot be written: what was done so far is in it, and nothing more is done. */
export class RecordError extends DeployError {
  static override readonly usual = 'DW702';
  override readonly exitCode = exitCodes.unknown;
  /** Nothing can follow: not even when whatever was in the way is gone. */
  readonly forGood: boolean;

  constructor(what: string, more: {means: string; next: readonly string[]; forGood?: boolean; cause?: unknown}) {
    super(what, more);
    this.forGood = more.forGood ?? false;
  }
}

/** There is no place for a record. */
class NoRecordError extends DeployError {
  static override readonly usual = 'DW142';
}

/** A place where nothing can be written; what was said already stays as it is. */
export function noRecord(place: string, error: unknown): DeployError {
  if (error instanceof NoRecordError) return error;
  return new NoRecordError(`no record can be kept in ${place}: ${messageOf(error)}`, {
    means: 'Nothing was started.',
    next: [
      ...(error instanceof DeployError ? error.next : []),
      isS3(place)
        ? 'Set `store:` in the config file to a bucket that is there and that you may write to.'
        : 'Set `store:` in the config file, or XDG_STATE_HOME, to a folder that you may write.',
    ],
    cause: error,
  });
}

/** A line that could not be written; `forGood`: nobody knows how much of it is there. */
export function cannotWrite(place: string, error: unknown, forGood = false): RecordError {
  return new RecordError(`the record cannot be written: ${messageOf(error)}`, {
    means: 'What cannot be recorded is not begun. What was begun is in the record, up to here.',
    next: [
      isS3(place)
        ? `See to it that ${place} can be reached and written, then go on: deploy-wizard resume`
        : `Make room for ${place}, then go on: deploy-wizard resume`,
    ],
    forGood,
    cause: error,
  });
}

/** Somebody else wrote to a record, replaced it or took it away, while it was being written. */
export function notOurs(place: string, what: string): RecordError {
  return new RecordError(`the record was changed by somebody while it was written: ${what}`, {
    means: 'Nothing more was begun. What was begun is in the record as it was, wherever that is now.',
    next: [`Look at ${place}, and at the environment itself, before anything else is done there.`],
    forGood: true,
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
