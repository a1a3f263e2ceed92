/** Questions on a plain terminal, with @inquirer/prompts. Never loaded where Ink is mounted (facts/ink.md fact 10). */
import type {Answer, FailureChoice, Question} from '../release/events.ts';
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
import type {Command} from '../release/contract.ts';
import type {Running} from './frontend.ts';
import {clean} from './text.ts';
import {secondInterrupt, whatStoppingMeans} from './tui/state/stopping.ts';

export interface Terminal {
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
  const prompts = await import('./asking.ts');
  const environment = state.answers.environment ?? '';
  switch (state.step) {
    case 'environment': {
      const cards = await Promise.all(survey.environments.map(({name}) => survey.recall(name)));
      const choices = cards.map(({name, last}) => ({
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
  const prompts = await import('./asking.ts');
  const select = (message: string, values: readonly (readonly [string, string])[]) =>
    answerOf(
      terminal,
      context => prompts.select({message: clean(message), choices: values.map(([value, name]) => ({value, name}))}, context),
      signal,
    );
  let because: string | undefined;
  const value = await (async () => {
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
      case 'failure': {
        const choice = await select(
          `${question.job.component} ${question.job.phase} failed.`,
          question.choices.map(choice => [choice, failureWords[choice]] as const),
        );
        if (choice === 'skip') {
          because = await answerOf(
            terminal,
            context => prompts.input({message: 'Why may it be let through?', required: true}, context),
            signal,
          );
          // Without a reason it is no waiver.
          if (!because?.trim()) return 'leave';
        }
        return choice;
      }
      case 'unknown step':
        return select(question.text, [
          ['look', 'look once more'],
          ['again', 'it did not happen: do it'],
          ...(question.happened ? [['happened', 'it did happen: go on'] as const] : []),
          ['leave', 'leave it'],
        ]);
    }
  })();
  if (signal.aborted) throw new StoppedError('stopped while a question was open');
  return {value: value ?? '', by: 'operator', ...(because !== undefined && {because})};
}

/** A registry's user and password; undefined where one of them was not given. */
export async function askLoginByPrompt(
  host: string,
  signal: AbortSignal,
  terminal: Terminal,
): Promise<{readonly username: string; readonly password: string} | undefined> {
  const prompts = await import('./asking.ts');
  const username = await answerOf(terminal, context => prompts.input({message: `User at ${clean(host)}`}, context), signal);
  const password =
    username &&
    (await answerOf(
      terminal,
      context => prompts.password({message: `Password of ${clean(username)}`, mask: false}, context),
      signal,
    ));
  return username && password ? {username, password} : undefined;
}

/**
 * What Ctrl-C is meant to do. To go on is the default; what is stopping already is interrupted a second time by whoever types what that
 * costs, and by nobody else.
 */
export async function askToStop({run, stopping}: Running, signal: AbortSignal, terminal: Terminal): Promise<Command | undefined> {
  const prompts = await import('./asking.ts');
  const say = (text: string) => terminal.output.write(`  ${clean(text)}\n`);
  if (!stopping) {
    for (const {who, what} of whatStoppingMeans(run)) say(`${who}: ${what}`);
    const choices: {value: Command['do'] | 'go on'; name: string}[] = [
      {value: 'go on', name: 'go on'},
      {value: 'stop', name: 'stop'},
      {value: 'detach', name: 'leave what runs running, and go: `deploy-wizard resume` looks at it again'},
    ];
    const answer = await answerOf(terminal, context => prompts.select({message: 'Stop this release?', choices}, context), signal);
    return answer === undefined || answer === 'go on' ? undefined : {do: answer, by: 'SIGINT'};
  }
  const interrupt = secondInterrupt(run);
  if (interrupt === undefined) {
    say('It is stopping already: what cannot be cut off is waited for.');
    return undefined;
  }
  say(interrupt.costs);
  const message = `It is stopping. Type ${interrupt.force} to interrupt it a second time; anything else waits`;
  const typed = await answerOf(terminal, context => prompts.input({message}, context), signal);
  return typed === interrupt.force ? {do: 'interrupt', by: 'SIGINT'} : undefined;
}

const failureWords: Readonly<Record<FailureChoice, string>> = {
  retry: 'try again',
  wait: 'go on waiting',
  rollback: 'take it back to what was there before',
  'rollback-all': 'take back all that have moved',
  skip: 'let it through, with a reason',
  leave: 'leave it as it is',
};

/** Asks for a line of text outside of a release; undefined when nothing was given (end of input). */
export async function askForText(message: string, terminal: Terminal): Promise<string | undefined> {
  const prompts = await import('./asking.ts');
  return answerOf(terminal, context => prompts.input({message: clean(message)}, context));
}

/** How the library calls what a prompt was left with. */
const leavings = new Set(['ExitPromptError', 'AbortPromptError', 'CancelPromptError']);

/**
 * Undefined for a prompt that was left without an answer (end of input, Ctrl-D); a StoppedError for one that Ctrl-C ended. Left alone,
 * the library waits for ever for an input that has ended: the process would run dry in the middle of a release, its edits not undone.
 */
export async function answerOf<T>(
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
