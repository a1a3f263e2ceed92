/** The lines of a run's record, read as the store reads them. */
import {type Head, type ReadRecord, readLines} from '../../src/record/chain.ts';
import {runEvent, schemaVersion} from '../../src/release/events.ts';

/** Throws a NewerRecordError for one that this version cannot read. */
export function readChain(bytes: Buffer, writtenHead: Head | undefined): ReadRecord {
  return readLines(bytes, writtenHead, runEvent, schemaVersion);
}
