import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {createRedaction} from '../../src/record/redact.ts';
import {hidden} from '../../src/release/json.ts';
import {showCommand} from '../../src/tools/exec.ts';
import {runEvent, vocabulary} from '../../src/release/events.ts';
import {type Thing, losesAnswer, testRelease} from '../support/world.ts';

/** A redaction that knows these secrets. */
function knowing(...secrets: readonly string[]) {
  const redaction = createRedaction();
  secrets.forEach(secret => redaction.learn(secret));
  return redaction;
}

const secret = fc.string({unit: 'binary', minLength: 4, maxLength: 40}).filter(text => text.trim().length >= 4);

const key = `-----BEGIN PRIVATE KEY-----
MIIEvQIBADANBgkqhkiG9w0BAQEFAASC
c2VjcmV0LXNlY3JldC1zZWNyZXQ=
ab
-----END PRIVATE KEY-----
`;

describe('a secret', () => {
  test('is hidden wherever it stands, as often as it does', () => {
    const {text} = knowing('hunter22');
    expect(text('password=hunter22&again=hunter22')).toBe(`password=${hidden}&again=${hidden}`);
    expect(text('prefixhunter22suffix')).toBe(`prefix${hidden}suffix`);
    expect(text('nothing of it')).toBe('nothing of it');
  });

  test.each([
    ['as it is', (value: string) => value],
    ['as JSON writes it', (value: string) => JSON.stringify(value)],
    ['as JSON within JSON', (value: string) => JSON.stringify(JSON.stringify({value}))],
    ['in a URL', (value: string) => `https://example.edu/?token=${encodeURIComponent(value)}`],
    ['in a form', (value: string) => new URLSearchParams({value}).toString()],
    ['in base64', (value: string) => Buffer.from(value).toString('base64')],
    ['in base64 without its padding', (value: string) => Buffer.from(value).toString('base64').replace(/=+$/, '')],
    ['in a command', (value: string) => showCommand(['docker', 'build', `--build-arg=TOKEN=${value}`])],
    ['in base64 for URLs', (value: string) => Buffer.from(value).toString('base64url')],
  ] as const)('%s', (_form, write) => {
    for (const value of [
      'hunter22',
      'p@ss/w0rd?&=+ "quoted" \\ back',
      "it's  two\n lines",
      'zwölf 東京 \u{1F680}',
      '\t{"json": true}',
    ]) {
      const written = write(value);
      expect(written).not.toBe('');
      const left = knowing(value).text(`before ${written} after`);
      expect(left).toContain(hidden);
      for (const part of [value, written]) expect(left).not.toContain(part);
    }
  });

  test('of several lines is hidden as a whole, and line by line as a log cuts it', () => {
    const {text} = knowing(key);
    expect(text(`key: ${key}done`)).toBe(`key: ${hidden}done`);
    const lines = key.trim().split('\n');
    expect(lines.map(line => text(`  ${line}`))).toEqual([`  ${hidden}`, `  ${hidden}`, `  ${hidden}`, '  ab', `  ${hidden}`]);
    expect(text(lines.join('\r\n'))).not.toContain('MIIE');
    expect(text(JSON.stringify({key}))).toBe(`{"key":"${hidden}"}`);
  });

  test('that holds another one is hidden as a whole, whichever was learnt first', () => {
    for (const secrets of [
      ['hunter', 'hunter22-and-more'],
      ['hunter22-and-more', 'hunter'],
    ]) {
      expect(knowing(...secrets).text('hunter22-and-more, hunter')).toBe(`${hidden}, ${hidden}`);
    }
  });

  test.each(['', 'a', 'dev', '80', ' ', '\n', 'a\nb', 'é', '"'])(
    'as short as %j is none: it would hide half of everything',
    short => {
      const {text} = knowing(short);
      for (const sentence of [
        'a dev box, port 80: "ab", cd, é',
        Buffer.from(short).toString('base64'),
        encodeURIComponent(short),
        JSON.stringify(short),
      ])
        expect(text(sentence)).toBe(sentence);
    },
  );

  test('may hold whatever means something to a pattern', () => {
    for (const value of ['.*+?^$', '(a|b)[c]{2}', String.raw`\d\w\b`, '$& $1 $$', '/slash/-/']) {
      expect(knowing(value).text(`x${value}y abcd`)).toBe(`x${hidden}y abcd`);
    }
  });

  test('never comes through, in any of its forms, wherever it is put', {timeout: 30_000}, () => {
    fc.assert(
      fc.property(fc.array(secret, {minLength: 1, maxLength: 4}), fc.string(), fc.string(), (secrets, before, after) => {
        const {text} = knowing(...secrets);
        for (const value of secrets) {
          for (const form of [value, JSON.stringify(value).slice(1, -1), Buffer.from(value).toString('base64')]) {
            // What surrounds it may hold it by chance: what matters is that no more of it is left than there was.
            if (before.includes(form) || after.includes(form)) continue;
            expect(text(`${before}\u0001${form}\u0001${after}`)).not.toContain(`\u0001${form}\u0001`);
          }
        }
      }),
      {numRuns: 300},
    );
  });
});

describe('a value', () => {
  test('is redacted through and through, keys included, and keeps its shape', () => {
    const {deep} = knowing('hunter22');
    expect(deep({a: ['hunter22', 1, null, true, {hunter22: 'x hunter22'}], b: undefined})).toEqual({
      a: [hidden, 1, null, true, {[hidden]: `x ${hidden}`}],
      b: undefined,
    });
  });

  test('that holds none of them stays what it is', () => {
    const value = {a: [1, 'two', {three: null}]};
    expect(createRedaction().deep(value)).toBe(value);
    expect(knowing('hunter22').deep(value)).toEqual(value);
  });

  test('is not changed itself', () => {
    const value = {a: ['hunter22']};
    knowing('hunter22').deep(value);
    expect(value).toEqual({a: ['hunter22']});
  });
});

describe('what everybody may see', () => {
  const things = {core: {prepares: ['bump', 'push'], requires: ['session'], risk: 'outage'}} satisfies Record<string, Thing>;

  /** A release with everything in it that events can say. */
  async function events() {
    const {world, go} = testRelease(things);
    world.faults.set('core/push', [losesAnswer]);
    return (await go()).events;
  }

  test('is never hidden: a secret that is a word of the events leaves them what they are', {timeout: 30_000}, async () => {
    const all = await events();
    for (const word of vocabulary()) {
      const redaction = createRedaction([...vocabulary()]);
      redaction.learn(word);
      for (const event of all) expect(runEvent.safeParse(redaction.deep(event)).success, `${word} in ${event.type}`).toBe(true);
    }
  });

  test('nor what stands in the config file: the record holds that in clear', () => {
    const redaction = createRedaction(['{"application":"pass","environments":{"production":{}}}']);
    for (const word of ['pass', 'production', 'hunter22']) redaction.learn(word);
    expect(redaction.text('pass to production with hunter22')).toBe(`pass to production with ${hidden}`);
  });

  test('nor a part of a hash, which a resumed run has to find again', () => {
    const hash = 'b41f77c2dead0123456789abcdef0123456789abcdef0123456789abcdef0123';
    const redaction = knowing('dead', '77c2');
    expect(redaction.deep({hash, digest: `sha256:${hash}`, text: 'dead or alive'})).toEqual({
      hash,
      digest: `sha256:${hash}`,
      text: `${hidden} or alive`,
    });
    expect(knowing(hash).deep({hash})).toEqual({hash: hidden});
  });

  test('the words of the events are their keys and their constants', () => {
    for (const word of [
      'type',
      'component',
      'run.started',
      'effect',
      'outage',
      'downgrade',
      'passed with waivers',
      'not started',
      'verify',
      'retry',
      'rolled back',
    ])
      expect(vocabulary()).toContain(word);
  });
});
