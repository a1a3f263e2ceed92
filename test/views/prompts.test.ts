/** Questions on a plain terminal: what is typed, and what nobody types. */
import {PassThrough} from 'node:stream';
import {describe, expect, test} from 'vitest';
import {StoppedError} from '../../src/release/errors.ts';
import type {Question} from '../../src/release/events.ts';
import type {Survey} from '../../src/release/form.ts';
import {askByPrompt, chooseByPrompts} from '../../src/views/prompts.ts';

const down = '\u001b[B';
const ctrlC = '\u0003';

/** A terminal on which this is typed, each text when the next question has been drawn. `end` closes it then. */
function terminal(texts: readonly string[], {end = false} = {}) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const left = [...texts];
  // As a terminal has it: a prompt that is done does not close it.
  output.end = () => output;
  let shown = '';
  output.on('data', chunk => {
    const drawn = String(chunk);
    shown += drawn;
    // A question begins with its mark; what is drawn while somebody types does not matter.
    if (!drawn.includes('?') || left.length === 0) return;
    const text = left.shift();
    setImmediate(() => (end && left.length === 0 ? input.end(text) : input.write(text ?? '')));
  });
  if (texts.length === 0) input.end();
  return {input, output, shown: () => shown};
}

const job = {component: 'core', phase: 'apply'} as const;
const approval: Question = {id: 'q', about: 'approval', expect: 'production', fingerprint: 'f', again: false};
const open = () => new AbortController().signal;

describe('a question', {timeout: 20_000}, () => {
  test.each([
    ['the exact text', 'production\n', 'production'],
    ['Enter', '\n', ''],
    ['something else', 'yes\n', 'yes'],
    ['a text with a space too many is what it is', 'production \n', 'production '],
  ])('about a plan, answered with %s', async (_what, typed, value) => {
    expect(await askByPrompt(approval, open(), terminal([typed]))).toEqual({value, by: 'operator'});
  });

  test.each([
    [{id: 'q', about: 'start', phase: 'bump', work: []}, '\n', 'go'],
    [{id: 'q', about: 'start', phase: 'bump', work: []}, `${down}\n`, 'stop'],
    [{id: 'q', about: 'preflight', failed: ['a']}, `${down}\n`, 'stop'],
    [{id: 'q', about: 'failure', job, trouble: {what: 'x'}, choices: ['retry', 'leave']}, `${down}\n`, 'leave'],
    [{id: 'q', about: 'unknown step', job, step: 's', text: 'Did it happen?'}, `${down}${down}\n`, 'leave'],
  ] as const satisfies readonly (readonly [Question, string, string])[])('%j', async (question, typed, value) => {
    expect(await askByPrompt(question, open(), terminal([typed]))).toEqual({value, by: 'operator'});
  });

  test('to which nobody answers any more (end of input) is answered with nothing, which is never a yes', async () => {
    expect(await askByPrompt(approval, open(), terminal([]))).toEqual({value: '', by: 'operator'});
    expect(await askByPrompt({id: 'q', about: 'start', phase: 'push', work: []}, open(), terminal([]))).toEqual({
      value: '',
      by: 'operator',
    });
    expect(await askByPrompt(approval, open(), terminal(['produ'], {end: true}))).toEqual({value: '', by: 'operator'});
  });

  test('at which somebody presses Ctrl-C stops the release', async () => {
    await expect(askByPrompt(approval, open(), terminal([ctrlC]))).rejects.toThrow(StoppedError);
  });

  test('that is open when the release is stopped is not answered', async () => {
    const stop = new AbortController();
    const asked = askByPrompt(approval, stop.signal, terminal(['']));
    stop.abort();
    await expect(asked).rejects.toThrow(StoppedError);
  });

  test('does not pass on what somebody else wrote', async () => {
    const hostile = terminal(['\n']);
    await askByPrompt({id: 'q', about: 'unknown step', job, step: 's', text: 'x\u202egnp\u009b2Jy'}, open(), hostile);
    expect(hostile.shown()).not.toMatch(/[\u202a-\u202e\u0080-\u009f]/);
    expect(hostile.shown()).toContain('xgnpy');
  });
});

describe('the form', {timeout: 20_000}, () => {
  const cards = [
    {id: 'core', kind: 'sns-trigger', needs: [], version: '1.13.2'},
    {id: 'loader', kind: 'ecs-scheduled-task', needs: []},
  ];
  const survey: Survey = {
    application: 'pass',
    environments: [{name: 'staging'}, {name: 'production'}],
    presets: {},
    recall: name => Promise.resolve({name}),
    reach: () => Promise.resolve({}),
    versions: () => Promise.resolve(),
    look: () => Promise.resolve(cards),
    suggest: () => [{version: '1.13.3', text: 'patch'}],
  };

  test('asks what the flags left open, in its order', async () => {
    const answers = terminal([`${down}\n`, '1.14.0\n', '\n']);
    expect(await chooseByPrompts({}, survey, answers)).toEqual({
      environment: 'production',
      version: '1.14.0',
      components: ['core', 'loader'],
    });
    expect(answers.shown()).toContain('core   sns-trigger   1.13.2');
  });

  test('offers the next version, and asks nothing that was said', async () => {
    const choice = await chooseByPrompts({environment: 'staging', components: ['core']}, survey, terminal(['\n']));
    expect(choice).toEqual({environment: 'staging', version: '1.13.3', components: ['core']});
  });

  test('asks nothing when everything was said', async () => {
    const said = {environment: 'staging', version: '1.0.0', components: ['core']};
    expect(await chooseByPrompts(said, survey, terminal([]))).toEqual(said);
  });

  test('is given up at the end of the input', async () => {
    expect(await chooseByPrompts({}, survey, terminal([]))).toBeUndefined();
    expect(await chooseByPrompts({environment: 'staging'}, survey, terminal([]))).toBeUndefined();
  });
});
