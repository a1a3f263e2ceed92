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
  readonly input: NodeJS.ReadableStream & {readonly readableEnded: boolean};
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
      const value = await answerOf(terminal, context =>
        prompts.select({message: 'Where does this release go?', choices}, context),
      );
      return value === undefined ? undefined : reduceForm(state, {do: 'answer', step: 'environment', value});
    }
    case 'version': {
      const cards = await survey.look(environment, new AbortController().signal);
      for (const {id, kind, version, problem} of cards)
        terminal.output.write(`  ${clean(`${id}   ${kind}   ${version ?? problem?.what ?? 'no version'}`)}\n`);
      const [first] = survey.suggest(environment, cards);
      const validate = (text: string) => judgeVersion(text, cards).problem ?? true;
      const value = await answerOf(terminal, context =>
        prompts.input({message: 'Which version?', ...(first && {default: first.version}), validate}, context),
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
      const value = await answerOf(terminal, context =>
        prompts.checkbox({message: 'What goes along?', choices, required: true}, context),
      );
      return value === undefined ? undefined : reduceForm(state, {do: 'answer', step: 'components', value});
    }
    case 'done':
      return state;
  }
}

/** Asks one question of a running release. End of input and Ctrl-C answer nothing, which is never a yes. */
export async function askByPrompt(question: Question, signal: AbortSignal, terminal: Terminal): Promise<Answer> {
  const prompts = await import('@inquirer/prompts');
  const select = (message: string, values: readonly (readonly [string, string])[]) =>
    answerOf(
      terminal,
      context => prompts.select({message: clean(message), choices: values.map(([value, name]) => ({value, name}))}, context),
      signal,
    );
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
        return answerOf(
          terminal,
          context => prompts.input({message: `Type ${question.expect} to release; anything else declines`}, context),
          signal,
        );
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

/**
 * Undefined for a prompt that was left without an answer (end of input, Ctrl-D); a StoppedError for one that Ctrl-C ended. Left alone,
 * the library waits for ever for an input that has ended: the process would run dry in the middle of a release, its edits not undone.
 */
async function answerOf<T>(
  terminal: Terminal,
  prompt: (context: Terminal & {readonly signal: AbortSignal}) => Promise<T>,
  stop?: AbortSignal,
): Promise<T | undefined> {
  const {input} = terminal;
  const ended = new AbortController();
  const end = () => ended.abort();
  // At Ctrl-D the terminal stays open: all that readline does is to pause it.
  input.once('end', end).once('close', end).once('pause', end);
  if (input.readableEnded) end();
  try {
    return await prompt({...terminal, signal: AbortSignal.any([ended.signal, ...(stop === undefined ? [] : [stop])])});
  } catch (error) {
    if (!(error instanceof Error) || !leavings.has(error.name)) throw error;
    if (error.message.includes('SIGINT')) throw new StoppedError('stopped by Ctrl-C at a question', {cause: error});
    return undefined;
  } finally {
    input.off('end', end).off('close', end).off('pause', end);
  }
}
