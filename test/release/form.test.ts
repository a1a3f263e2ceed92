import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {
  type FormAction,
  type FormAnswers,
  chosen,
  formSteps,
  judgeVersion,
  reduceForm,
  startForm,
} from '../../src/release/form.ts';

const answers = {environment: 'staging', version: '1.14.0', components: ['core', 'service']} as const;

function answer(step: keyof FormAnswers): FormAction {
  switch (step) {
    case 'environment':
      return {do: 'answer', step, value: answers.environment};
    case 'version':
      return {do: 'answer', step, value: answers.version};
    case 'components':
      return {do: 'answer', step, value: answers.components};
  }
}

const back: FormAction = {do: 'back'};

const flags: fc.Arbitrary<FormAnswers> = fc.record(
  {environment: fc.constant('production'), version: fc.constant('2.0.0'), components: fc.constant(['core'])},
  {requiredKeys: []},
);
const action: fc.Arbitrary<FormAction> = fc.oneof(
  fc.constant(back),
  fc.constantFrom('staging', 'development').map((value): FormAction => ({do: 'answer', step: 'environment', value})),
  fc.constantFrom('1.14.0', '1.13.3').map((value): FormAction => ({do: 'answer', step: 'version', value})),
  fc.subarray(['core', 'service']).map((value): FormAction => ({do: 'answer', step: 'components', value})),
);

describe('the form', () => {
  test('asks for the environment, the version and the components, and is done then', () => {
    let state = startForm({});
    for (const step of formSteps) {
      expect(state.step).toBe(step);
      expect(chosen(state)).toBeUndefined();
      state = reduceForm(state, answer(step));
    }
    expect(state.step).toBe('done');
    expect(chosen(state)).toEqual(answers);
  });

  test('never asks for what a flag says', () => {
    const state = startForm({version: '2.0.0'});
    expect(state.step).toBe('environment');
    const next = reduceForm(state, answer('environment'));
    expect(next.step).toBe('components');
    expect(reduceForm(next, back).step).toBe('environment');
    expect(chosen(reduceForm(next, answer('components')))).toEqual({...answers, version: '2.0.0'});
  });

  test('is done at once when the flags say everything, and there is no way back', () => {
    const state = startForm(answers);
    expect(state.step).toBe('done');
    expect(chosen(state)).toEqual(answers);
    expect(reduceForm(state, back)).toBe(state);
  });

  test('going back and forth loses nothing', () => {
    const full = [answer('environment'), answer('version'), answer('components')].reduce(reduceForm, startForm({}));
    const first = [back, back, back, back].reduce(reduceForm, full);
    expect(first.step).toBe('environment');
    expect(first.answers).toEqual(answers);
    expect([answer('environment'), answer('version')].reduce(reduceForm, first)).toEqual({...full, step: 'components'});
  });

  test('stays consistent, whatever is done to it', () => {
    fc.assert(
      fc.property(flags, fc.array(action, {maxLength: 12}), (flags, actions) => {
        let state = startForm(flags);
        for (const action of actions) {
          const before = state;
          state = reduceForm(state, action);
          // Nothing that was answered is lost, and nothing else than the answer changes.
          for (const step of formSteps) {
            const expected = action.do === 'answer' && action.step === step ? action.value : before.answers[step];
            expect(state.answers[step]).toEqual(expected);
          }
          // What flags answered is not asked; done means done.
          expect(state.step === 'done' || !state.given.has(state.step)).toBe(true);
          expect(chosen(state) !== undefined).toBe(state.step === 'done');
          expect(state.given).toEqual(new Set(formSteps.filter(step => flags[step] !== undefined)));
        }
      }),
      {numRuns: 1000},
    );
  });

  test('answering what is asked always comes to an end', () => {
    fc.assert(
      fc.property(flags, fc.array(action, {maxLength: 12}), (flags, actions) => {
        let state = actions.reduce(reduceForm, startForm(flags));
        for (let left = formSteps.length; left > 0 && state.step !== 'done'; left--)
          state = reduceForm(state, answer(state.step));
        expect(state.step).toBe('done');
      }),
    );
  });
});

describe('what a version would mean', () => {
  const core = {id: 'core', kind: 'sns-trigger', needs: [], version: '1.13.2'};
  const loader = {id: 'loader', kind: 'ecs-scheduled-task', needs: [], version: '1.14.0'};

  test.each([
    ['1.14.1', [core, loader], {}],
    ['1.13.2', [core], {note: 'what is deployed: nothing to do'}],
    ['1.13.9', [core, loader], {note: "a downgrade for loader: asks for the environment's name"}],
    ['1.13.0', [core, loader], {note: "a downgrade for core, loader: asks for the environment's name"}],
    ['1.0.0', [], {}],
    ['v1', [core], {problem: '"v1" has a leading "v"; write it without'}],
  ])('%s', (text, cards, judgement) => {
    expect(judgeVersion(text, cards)).toEqual(judgement);
  });
});
