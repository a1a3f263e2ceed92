/** Questions on a plain terminal, with @inquirer/prompts. Never loaded where Ink is mounted (facts/ink.md fact 10). */
import type {Answer, Question} from '../release/events.ts';
import {StoppedError} from '../release/errors.ts';
import {
  type Choice,
  type FormAnswers,
  type FormState,
  type Survey,
  chosen,
  judgeVersion,
  reduceForm,
  startForm,
} from '../release/form.ts';
import {clean} from './text.ts';

interface Terminal {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** Asks what the flags left open; undefined when the operator gave up (Ctrl-C, end of input). */
export async function chooseByPrompts(flags: FormAnswers, survey: Survey, terminal: Terminal): Promise<Choice | undefined> {
  let state = startForm(flags);
  while (state.step !== 'done') {
    const next = await askStep(state, survey, terminal);
    if (next === undefined) return undefined;
    state = next;
  }
  return chosen(state);
}

async function askStep(state: FormState, survey: Survey, terminal: Terminal): Promise<FormState | undefined> {
  const prompts = await import('@inquirer/prompts');
  const environment = state.answers.environment ?? '';
  switch (state.step) {
    case 'environment': {
      const choices = survey.environments.map(({name, last}) => ({
        value: name,
        name: clean(last ? `${name}   ${last.version} ${last.outcome}, ${last.at} by ${last.by}` : name),
      }));
      const value = await orUndefined(prompts.select({message: 'Where does this release go?', choices}, terminal));
      return value === undefined ? undefined : reduceForm(state, {do: 'answer', step: 'environment', value});
    }
    case 'version': {
      const cards = await survey.look(environment, new AbortController().signal);
      for (const {id, kind, version, problem} of cards)
        terminal.output.write(`  ${clean(`${id}   ${kind}   ${version ?? problem?.what ?? 'no version'}`)}\n`);
      const [first] = survey.suggest(environment, cards);
      const validate = (text: string) => judgeVersion(text, cards).problem ?? true;
      const value = await orUndefined(
        prompts.input({message: 'Which version?', ...(first && {default: first.version}), validate}, terminal),
      );
      return value === undefined ? undefined : reduceForm(state, {do: 'answer', step: 'version', value});
    }
    case 'components': {
      const cards = await survey.look(environment, new AbortController().signal);
      const choices = cards.map(({id, kind, version}) => ({
        value: id,
        name: clean(`${id}   ${kind}   ${version ?? ''}`),
        checked: true,
      }));
      const value = await orUndefined(prompts.checkbox({message: 'What goes along?', choices, required: true}, terminal));
      return value === undefined ? undefined : reduceForm(state, {do: 'answer', step: 'components', value});
    }
    case 'done':
      return state;
  }
}

/** Asks one question of a running release. End of input and Ctrl-C answer nothing, which is never a yes. */
export async function askByPrompt(question: Question, signal: AbortSignal, terminal: Terminal): Promise<Answer> {
  const prompts = await import('@inquirer/prompts');
  const context = {...terminal, signal};
  const select = (message: string, values: readonly (readonly [string, string])[]) =>
    orUndefined(prompts.select({message: clean(message), choices: values.map(([value, name]) => ({value, name}))}, context));
  const value = await (() => {
    switch (question.about) {
      case 'start':
        return select(`Start ${question.phase}?`, [
          ['go', `start ${question.phase}`],
          ['stop', 'end the release here'],
        ]);
      case 'preflight':
        return select('Requirements are not met.', [
          ['retry', 'look again'],
          ['stop', 'end the release here'],
        ]);
      case 'approval':
        return orUndefined(prompts.input({message: `Type ${question.expect} to release; anything else declines`}, context));
      case 'failure':
        return select(
          `${question.job.component} ${question.job.phase} failed.`,
          question.choices.map(choice => [choice, choice] as const),
        );
      case 'unknown step':
        return select(question.text, [
          ['look', 'look once more'],
          ['again', 'it did not happen: do it'],
          ['leave', 'leave it'],
        ]);
    }
  })();
  if (signal.aborted) throw new StoppedError('stopped while a question was open');
  return {value: value ?? '', by: 'operator'};
}

/** How the library calls what a prompt was left with. */
const leavings = new Set(['ExitPromptError', 'AbortPromptError', 'CancelPromptError']);

/** Undefined for a prompt that was left without an answer (end of input); a StoppedError for one that Ctrl-C ended. */
async function orUndefined<T>(prompt: Promise<T>): Promise<T | undefined> {
  try {
    return await prompt;
  } catch (error) {
    if (!(error instanceof Error) || !leavings.has(error.name)) throw error;
    if (error.message.includes('SIGINT')) throw new StoppedError('stopped by Ctrl-C at a question', {cause: error});
    return undefined;
  }
}
