/**
 * A process that writes a record, for tests that need a real one: `node writer.ts <root> [full]`. Starts a record in a second that
 * is always the same, says its name, and appends lines. With `full` it appends until that fails, says so, waits for a line on its
 * standard input, and appends some more. At last it says which lines were acknowledged.
 */
import {once} from 'node:events';
import {fileStore} from '../../../src/record/file-store.ts';
import type {RunEvent} from '../../../src/release/events.ts';

// A file that is at its limit is to fail as a full disk does, and not to end the process (signal-exit, of write-file-atomic, would).
process.on('SIGXFSZ', () => undefined);

const [root = '', full] = process.argv.slice(2);
const {run, writer} = await fileStore(root, {now: () => Date.UTC(2026, 0, 15, 12)}).create('production', '1.14.0');
const acknowledged: string[] = [];

function line(number: number): RunEvent {
  return {
    type: 'job.started',
    job: {component: 'core', phase: 'apply'},
    text: `${number} ${'x'.repeat(100 + ((number * 37) % 400))}`,
  };
}

async function append(number: number): Promise<string | undefined> {
  try {
    const {seq} = await writer.append(line(number));
    acknowledged.push(`${seq} ${number}`);
    return undefined;
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

function say(what: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

say({run});
let next = 0;
if (full === 'full') {
  let problem: string | undefined;
  while (problem === undefined && next < 10_000) problem = await append(next++);
  // Still full: fails like the first, and must not do any harm.
  const again = await append(next++);
  say({problem, again});
  await once(process.stdin, 'data');
  process.stdin.destroy();
}
for (const last = next + 20; next < last;) await append(next++);
await writer.close();
say({acknowledged});
