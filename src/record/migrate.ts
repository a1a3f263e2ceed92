/**
 * Copies records from one medium to another, byte for byte: each chain is verified before and after, another record of the same
 * name is left as it is, and what an earlier attempt began is gone on with. Nothing of the old medium is changed.
 */
import {DeployError} from '../release/errors.ts';
import {runEvent, schemaVersion} from '../release/events.ts';
import {type Head, readLines} from './chain.ts';
import {messageOf} from './errors.ts';
import {lockEvent, lockSchema} from './lock-events.ts';
import type {Medium, Stored} from './medium.ts';
import {lockJournal} from './store.ts';

/** What became of one journal. `note`: why it was refused, or what else somebody should know of it. */
export interface Copied {
  readonly environment: string;
  readonly name: string;
  readonly is: 'copied' | 'there already' | 'refused';
  readonly note?: string;
}

/** Copies every journal of an environment, one after the other; `tell` hears of each as it is done. */
export async function copyRecords(from: Medium, to: Medium, environment: string, tell: (copied: Copied) => void): Promise<void> {
  for (const name of await from.journals(environment)) {
    const copied = await copy(from, to, environment, name).catch((error: unknown) => {
      return {is: 'refused', note: messageOf(error)} as const;
    });
    tell({environment, name, ...copied});
  }
}

async function copy(from: Medium, to: Medium, environment: string, name: string): Promise<Pick<Copied, 'is' | 'note'>> {
  const stored = await from.read(environment, name);
  if (stored === undefined) throw new DeployError('it is gone');
  const {head, intactBytes, torn} = verify(from, name, stored);
  const lines = stored.bytes.subarray(0, intactBytes);
  // A torn line is none: its process died before anybody relied on it.
  const note = torn ? {note: 'its last line was torn, and is left out'} : {};
  const there = await to.read(environment, name);
  if (there?.bytes.equals(lines) && isHead(there.head, head)) return {is: 'there already', ...note};
  await goOn(to, environment, name, {lines, head}, there);
  const after = await to.read(environment, name);
  if (!after?.bytes.equals(lines)) throw new DeployError('what is read back is not what was written');
  verify(to, name, after);
  return {is: 'copied', ...note};
}

/** Writes what is missing. Throws a DeployError where the lines that are there are others. */
async function goOn(
  to: Medium,
  environment: string,
  name: string,
  {lines, head}: {readonly lines: Buffer; readonly head: Head},
  there: Stored | undefined,
): Promise<void> {
  const begun = there && wholeLines(there.bytes);
  if (there && !lines.subarray(0, there.bytes.length).equals(there.bytes)) {
    throw new DeployError(`another record of that name is in ${to.placeOf(environment, name)}: it was left as it is`);
  }
  const journal = begun ? await to.open(environment, name, begun) : await to.create(environment, name);
  if (journal === undefined) throw new DeployError('somebody else is copying it');
  try {
    const rest = lines.subarray(begun?.bytes ?? 0);
    if (rest.length > 0) await journal.append(rest, begun?.lines ?? 0);
    await journal.writeHead(head);
  } finally {
    await journal.close();
  }
}

function wholeLines(bytes: Buffer): {readonly lines: number; readonly bytes: number} {
  const end = bytes.lastIndexOf(lineFeed) + 1;
  return {lines: bytes.subarray(0, end).filter(byte => byte === lineFeed).length, bytes: end};
}

const lineFeed = 0x0a;

function isHead(written: Head | undefined, head: Head): boolean {
  return written?.length === head.length && written.hash === head.hash;
}

/** Throws a DeployError for a chain that somebody changed, and for one that this version cannot read. */
function verify(medium: Medium, name: string, {bytes, head}: Stored) {
  const chain =
    name === lockJournal ? readLines(bytes, head, lockEvent, lockSchema) : readLines(bytes, head, runEvent, schemaVersion);
  const problems = chain.torn && !medium.tears ? [...chain.problems, 'its last line does not end'] : chain.problems;
  if (problems.length > 0) throw new DeployError(`it was changed by somebody: ${problems.join('; ')}`);
  return chain;
}
