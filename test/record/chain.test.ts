import {readFile} from 'node:fs/promises';
import path from 'node:path';
import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {type Head, NewerRecordError, emptyHead, seal} from '../../src/record/chain.ts';
import {parseHead} from '../../src/record/file-store.ts';
import {DeployError} from '../../src/release/errors.ts';
import type {RunEvent} from '../../src/release/events.ts';
import {replay} from '../../src/release/history.ts';
import {sha256} from '../../src/release/hash.ts';
import {losesAnswer, testRelease} from '../support/world.ts';
import {withoutLink} from './support/link.ts';
import {readChain} from '../support/read-chain.ts';

/** The lines of a real release, with text in it that somebody else wrote: wide, broken, in need of escapes. */
async function events(): Promise<readonly RunEvent[]> {
  const release = testRelease({
    core: {prepares: ['bump', 'push'], requires: ['session']},
    service: {needs: ['core'], takes: 3000, within: 60_000},
  });
  release.world.verdicts.set('session', {
    status: 'passed',
    found: 'Zürich 東京 \u{1F680} \u0000 \u2028 "quoted" \\ \ufffd\ufffd, and a lone \ud800',
  });
  release.world.faults.set('core/push', [losesAnswer]);
  const {events} = await release.go();
  return events;
}

interface Written {
  readonly bytes: Buffer;
  readonly head: Head;
}

function write(events: readonly RunEvent[]): Written {
  let head = emptyHead;
  const lines = events.map((event, index) => {
    const sealed = seal(event, new Date(Date.UTC(2026, 0, 15, 12, 0, index)).toISOString(), head);
    head = sealed.head;
    return `${sealed.line}\n`;
  });
  return {bytes: Buffer.from(lines.join('')), head};
}

const story = await events();
const {bytes, head} = write(story);
const lines = bytes.toString('utf8').split('\n').slice(0, -1);
const join = (lines: readonly string[]) => Buffer.from(lines.map(line => `${line}\n`).join(''));

/** Whether a reader sees that this is not what was written: a problem, or a refusal to read it at all. */
function isFound(bytes: Buffer, written: Head | undefined = head): boolean {
  try {
    return readChain(bytes, written).problems.length > 0;
  } catch (error) {
    if (error instanceof DeployError) return true;
    throw error;
  }
}

describe('a record that nobody touched', () => {
  test('reads back as it was written', () => {
    const read = readChain(bytes, head);
    expect(read).toMatchObject({head, torn: false, problems: [], intactBytes: bytes.length});
    expect(read.events.map(withoutLink)).toEqual(JSON.parse(JSON.stringify(story)));
    expect(read.events.map(({seq}) => seq)).toEqual(story.map((_, index) => index));
  });

  test('every line names the sha256 of the raw bytes of the line before it', () => {
    for (const [index, line] of lines.entries()) {
      const {prev}: {prev: string} = JSON.parse(line);
      expect(prev).toBe(index === 0 ? '0'.repeat(64) : sha256(Buffer.from(lines[index - 1] ?? '')));
    }
    expect(head).toEqual({length: lines.length, hash: sha256(Buffer.from(lines.at(-1) ?? ''))});
  });

  test('is a record before its first line is written, and before its first head', () => {
    expect(readChain(Buffer.alloc(0), undefined)).toEqual({
      events: [],
      head: emptyHead,
      intactBytes: 0,
      torn: false,
      problems: [],
    });
    const {bytes, head} = write(story.slice(0, 1));
    expect(readChain(bytes, undefined)).toMatchObject({head, problems: []});
  });

  test('a head that is behind is normal: the line is written first', () => {
    for (let length = 1; length <= lines.length; length++) {
      expect(readChain(bytes, write(story.slice(0, length)).head).problems).toEqual([]);
    }
  });
});

describe('a line that was cut off while it was written', () => {
  test('is told from everything else, wherever it was cut', {timeout: 30_000}, () => {
    const {bytes: before, head: written} = write(story.slice(0, 5));
    const {bytes} = write(story.slice(0, 6));
    for (let length = before.length + 1; length < bytes.length; length++) {
      const read = readChain(bytes.subarray(0, length), written);
      expect(read).toMatchObject({torn: true, intactBytes: before.length, head: written, problems: []});
      expect(read.events).toHaveLength(5);
    }
  });

  test('may be the first', () => {
    expect(readChain(bytes.subarray(0, 10), undefined)).toMatchObject({
      torn: true,
      intactBytes: 0,
      events: [],
      head: emptyHead,
      problems: [],
    });
  });
});

describe('a record that somebody changed', () => {
  test('any byte of it', {timeout: 30_000}, () => {
    fc.assert(
      fc.property(fc.nat({max: bytes.length - 1}), fc.integer({min: 1, max: 255}), (at, change) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ change;
        expect(isFound(changed)).toBe(true);
      }),
      {numRuns: 400},
    );
  });

  test('every byte of the text that is hardest to tell apart', {timeout: 30_000}, () => {
    // Between two others, which is all that it takes.
    const at = lines.findIndex(line => line.includes('\ufffd'));
    const [first, hard, last] = [story[0], story[at], story.at(-1)];
    if (at < 1 || !first || !hard || !last) throw new Error('the story has no such text');
    const {bytes, head} = write([first, hard, last]);
    const from = write([first]).bytes.length;
    const until = write([first, hard]).bytes.length;
    for (let at = from; at < until; at++) {
      for (const value of [10, 128, 191, 224, 239, 240, 243, 255]) {
        if (bytes[at] === value) continue;
        const changed = Buffer.from(bytes);
        changed[at] = value;
        expect([at - from, value, isFound(changed, head)]).toEqual([at - from, value, true]);
      }
    }
  });

  test('every byte of it, one after the other', {timeout: 60_000}, () => {
    // A short one, so that each of its bytes can be another eight times.
    const {bytes, head} = write(story.slice(0, 4));
    const missed: (readonly [at: number, bit: number])[] = [];
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 1; bit <= 128; bit *= 2) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ bit;
        if (!isFound(changed, head)) missed.push([at, bit]);
      }
    }
    expect(missed).toEqual([]);
  });

  test('every byte of its head, but for the line feed that might as well be a blank', {timeout: 60_000}, () => {
    // Nine lines: by one byte it names none of them.
    const {bytes, head} = write(story.slice(0, 9));
    const text = Buffer.from(`${JSON.stringify(head)}\n`);
    const blank = new Set([0x20, 0x09, 0x0d, 0x0a]);
    // Most of what is no head reads alike, as none.
    const found = new Map<string | undefined, boolean>();
    const isFoundWith = (written: Head | undefined): boolean => {
      const as = JSON.stringify(written);
      const known = found.get(as) ?? isFound(bytes, written);
      found.set(as, known);
      return known;
    };
    const wrong: (readonly [at: number, value: number])[] = [];
    for (let at = 0; at < text.length; at++) {
      for (let value = 0; value < 256; value++) {
        const changed = Buffer.from(text);
        changed[at] = value;
        const same = value === text[at] || (at === text.length - 1 && blank.has(value));
        if (isFoundWith(parseHead(changed.toString('utf8'))) === same) wrong.push([at, value]);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('an end that is cut off at any byte', {timeout: 30_000}, () => {
    // A short one: which lines are missing makes no difference.
    const {bytes, head} = write(story.slice(0, 6));
    for (let length = 0; length < bytes.length; length++) {
      expect([length, isFound(bytes.subarray(0, length), head)]).toEqual([length, true]);
    }
  });

  test('but not what was never finished: of a torn line nothing is read, and that it is there is said', () => {
    const before = write(story.slice(0, -1));
    const torn = bytes.subarray(0, before.bytes.length + 20);
    for (let at = before.bytes.length; at < torn.length; at++) {
      const changed = Buffer.from(torn);
      changed[at] = 120;
      expect(readChain(changed, before.head)).toMatchObject({torn: true, problems: [], head: before.head});
    }
  });

  test('a byte taken out, or put in', {timeout: 30_000}, () => {
    fc.assert(
      fc.property(fc.nat({max: bytes.length - 1}), fc.integer({min: 0, max: 255}), fc.boolean(), (at, value, more) => {
        const changed = Buffer.concat([
          bytes.subarray(0, at),
          ...(more ? [Buffer.from([value])] : []),
          bytes.subarray(more ? at : at + 1),
        ]);
        expect(changed.equals(bytes) || isFound(changed)).toBe(true);
      }),
      {numRuns: 400},
    );
  });

  test('a line taken out, wherever it was', () => {
    for (const at of lines.keys()) expect([at, isFound(join(lines.toSpliced(at, 1)))]).toEqual([at, true]);
  });

  test('a line written twice, or an empty one', () => {
    for (const at of lines.keys()) {
      expect(isFound(join(lines.toSpliced(at, 0, lines[at] ?? '')))).toBe(true);
      expect(isFound(join(lines.toSpliced(at, 0, '')))).toBe(true);
    }
  });

  test('two lines that changed places', () => {
    fc.assert(
      fc.property(fc.nat({max: lines.length - 1}), fc.nat({max: lines.length - 1}), (a, b) => {
        const swapped = lines.with(a, lines[b] ?? '').with(b, lines[a] ?? '');
        expect(a === b || isFound(join(swapped))).toBe(true);
      }),
    );
  });

  test('a head that was taken away: it is written after the first line, and ever after', () => {
    expect(readChain(bytes, undefined).problems).toEqual(['the head is gone: nothing tells whether lines were cut']);
  });

  test('lines cut from its end, against the head; a whole one lost with its line feed too', () => {
    for (let length = 0; length < lines.length; length++) {
      expect(readChain(join(lines.slice(0, length)), head).problems).toEqual([
        `cut: the head names ${lines.length} lines, there are ${length}`,
      ]);
    }
    expect(isFound(bytes.subarray(0, bytes.length - 1))).toBe(true);
  });

  test('a chain made anew from some line on, by somebody who knows how', () => {
    for (const at of lines.keys()) {
      const forged = write(story.with(at, {type: 'run.resumed', by: {user: 'mallory', host: 'elsewhere'}}));
      expect([at, isFound(forged.bytes)]).toEqual([at, true]);
      // Only a head that was kept elsewhere can tell when the head is forged as well.
      expect(forged.head.hash).not.toBe(head.hash);
    }
  });

  test('the words say which line, and why', () => {
    const problems = (bytes: Buffer) => readChain(bytes, head).problems;
    expect(problems(join(lines.with(3, 'not json')))).toEqual([
      'line 4: is not JSON',
      'line 5: does not follow the line before it',
    ]);
    expect(problems(join(lines.with(3, '{}')))).toContain('line 4: is not an event of a release');
    expect(problems(join(lines.toSpliced(3, 1)))[0]).toBe('line 4: says it is number 5');
    expect(problems(join(lines.with(lines.length - 1, (lines.at(-1) ?? '').replace('passed', 'failed')))).at(-1)).toBe(
      `line ${lines.length}: is not what the head names`,
    );
  });
});

describe('a record of another version of the program', () => {
  const as = (schema: number) => join(lines.with(0, (lines[0] ?? '').replace('"schema":1', `"schema":${schema}`)));

  test('a newer one is refused in words, whatever else it holds', () => {
    expect(() => readChain(as(2), undefined)).toThrow(
      'this record was written by a newer deploy-wizard (schema 2, this one reads up to 1)',
    );
    expect(() => readChain(Buffer.from('{"schema":9,"type":"something.new"}\n'), undefined)).toThrow(DeployError);
    try {
      readChain(as(2), head);
    } catch (error) {
      expect(error).toMatchObject({
        means: 'Nothing was read and nothing was changed.',
        next: ['Use the version of deploy-wizard that wrote it, or a newer one.'],
      });
    }
  });

  test('so is one that a newer version went on with', () => {
    const resumed = {type: 'run.resumed', schema: 2, by: {user: 'jo', host: 'laptop'}, how: 'another way'};
    const {bytes, head} = write(story);
    const {line} = seal(resumed, '2026-01-15T13:00:00.000Z', head);
    expect(() => readChain(Buffer.concat([bytes, Buffer.from(`${line}\n`)]), head)).toThrow(NewerRecordError);
  });

  test('the oldest is read: what version 0.1 has written', async () => {
    const folder = path.join(import.meta.dirname, '..', 'fixtures', 'records', 'schema-1');
    const [bytes, written] = await Promise.all(['record.ndjson', 'head.json'].map(name => readFile(path.join(folder, name))));
    const read = readChain(bytes ?? Buffer.alloc(0), parseHead(String(written)));
    expect(read).toMatchObject({problems: [], torn: false});
    const {started, approved, done, finished} = replay(read.events);
    expect(started?.version).toBe('1.14.0');
    expect(approved?.approval.by).toBe('policy');
    expect([...done.keys()]).toEqual(['grant-loader/register', 'grant-loader/move default/grant-nightly']);
    expect(finished).toMatchObject({outcome: 'passed', touched: true});
  });

  test('keys that this version does not know are no reason to refuse', () => {
    const more = write(story.map(event => ({...event, somethingNew: true})));
    expect(readChain(more.bytes, more.head)).toMatchObject({problems: [], head: more.head});
  });
});
