/** What --output json writes is what its schema and docs/events.md say. */
import {describe, expect, test} from 'vitest';
import {eventJsonSchema, meanings} from '../../src/release/event-schema.ts';
import {type TimedEvent, runEvent} from '../../src/release/events.ts';
import {json} from '../../src/release/json.ts';
import {ndjsonLine} from '../../src/views/ndjson.ts';
import {schemaProblems} from '../support/json-schema.ts';
import {fails, losesAnswer, testRelease} from '../support/world.ts';

const schema = json.parse(eventJsonSchema());
const strict = json.parse(eventJsonSchema({strict: true}));

/** A release in which as much happens as can. */
async function eventful(): Promise<readonly TimedEvent[]> {
  const release = testRelease(
    {core: {prepares: ['bump'], requires: ['session']}, service: {needs: ['core'], verify: false}, loader: {needs: ['core']}},
    {
      onFailure: 'rollback',
      around: async () => undefined,
      overrides: [{name: 'promotion', reason: 'it burns', by: 'jo@laptop'}],
      gates: [
        {
          claim: {id: 'promotion', text: 'promoted', subject: null},
          override: 'promotion',
          check: async () => ({claim: 'promotion', text: 'promoted', status: 'failed', found: 'never'}),
        },
      ],
    },
  );
  release.world.faults.set('core/bump', [losesAnswer]);
  release.world.faults.set('loader/change', [
    effect => {
      effect();
      return fails(() => undefined);
    },
  ]);
  await release.go({answers: question => (question.about === 'failure' ? 'rollback' : undefined)});
  return release.record().events.map(({seq: _seq, prev: _prev, ...event}) => event);
}

const events = await eventful();

describe('the schema of events', () => {
  test('knows every event of a release, each field of it', () => {
    for (const event of events) expect(schemaProblems(strict, JSON.parse(ndjsonLine(event)))).toEqual([]);
  });

  test('lets a reader of this version read what a later minor version adds', () => {
    const [event] = events;
    const later = json.parse({...event, mood: 'good'});
    expect(schemaProblems(schema, later)).toEqual([]);
    expect(schemaProblems(strict, later).join()).toContain('/mood');
  });

  test.each([
    ['without its time', {at: undefined}],
    ['at a time that is none', {at: 'yesterday'}],
    ['of a kind that is none', {type: 'run.ended'}],
    ['with a field of another type', {unattended: 'yes'}],
    ['without a field', {application: undefined}],
  ])('does not take an event %s', (_what, change) => {
    const wrong = json.parse(JSON.parse(JSON.stringify({...events[0], ...change})));
    expect(schemaProblems(schema, wrong)).not.toEqual([]);
  });

  test('says of every event what it means', () => {
    const types = runEvent.options.map(({shape}) => shape.type.value);
    expect(Object.keys(meanings).toSorted()).toEqual([...types].toSorted());
    expect(JSON.stringify(schema)).toContain(meanings['plan.ready']);
  });
});

test('docs/events.md says what there is (npx vitest run -u writes it anew)', async () => {
  const seen = new Map(events.map(event => [event.type, event]));
  const rows = runEvent.options.map(({shape}) => {
    const type = shape.type.value;
    const fields = Object.keys(shape).filter(name => name !== 'type');
    return `| \`${type}\` | ${fields.map(name => `\`${name}\``).join(', ')} | ${meanings[type]} |`;
  });
  const examples = [...seen.values()].map(event => `\`\`\`json\n${ndjsonLine(event)}\n\`\`\``);
  await expect(`# Events

\`--output json\` writes the events of a run to standard output as they happen, one JSON object a line (NDJSON), in UTF-8. Summary
and notices go to standard error. The record of a run holds the same events, each with its place in the chain (\`seq\`, \`prev\`).
Secrets are hidden (\`•••\`) before an event is written anywhere.

\`\`\`sh
deploy-wizard schema --events > events.schema.json     # JSON Schema, draft 2020-12, of one line
deploy-wizard --yes --env staging --release 1.14.0 --output json | jq -r 'select(.type == "run.finished").outcome'
\`\`\`

**Stability.** Within a major version, events and fields are only added: no field goes, changes its type or its meaning, and no
word of a closed list (outcomes, risks, phases) is taken back. A reader passes over events and fields that it does not know.
\`run.started\` has \`schema\`: a reader of another number refuses the rest.

Every event has \`type\` and \`at\` (ISO 8601, UTC). \`job\` is \`{component, phase}\`; the component \`*\` is the release as a whole.
The exit code of the process is that of \`run.finished\`; a run that was refused before it began writes no event at all.

| event | fields | says |
|---|---|---|
${rows.join('\n')}

## Examples

From a release to three made-up components in which one fails and is taken back:

${examples.join('\n\n')}
`).toMatchFileSnapshot('../../docs/events.md');
});
