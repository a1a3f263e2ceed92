/** The questions of `init`, on a plain terminal. Undefined is an answer that was not given (end of input). */
import {type Terminal, answerOf} from './prompts.ts';
import {clean} from './text.ts';

export interface Choice<T> {
  readonly value: T;
  /** What it is, in one line. */
  readonly name: string;
}

/** A line of text. `problem` says what is wrong with it; undefined where nothing is. */
export async function askText(
  message: string,
  usual: string,
  problem: (text: string) => string | undefined,
  terminal: Terminal,
): Promise<string | undefined> {
  const prompts = await import('./asking.ts');
  const validate = (text: string) => problem(text) ?? true;
  return answerOf(terminal, context => prompts.input({message: clean(message), default: clean(usual), validate}, context));
}

/** One of several; the first is the usual one. */
export async function askWhich<T>(message: string, choices: readonly Choice<T>[], terminal: Terminal): Promise<T | undefined> {
  const prompts = await import('./asking.ts');
  const shown = choices.map(({value, name}) => ({value, name: clean(name)}));
  return answerOf(terminal, context => prompts.select({message: clean(message), choices: shown}, context));
}

/** Some of several, at least one. `usual`: those that are ticked to begin with. */
export async function askSome<T>(
  message: string,
  choices: readonly (Choice<T> & {readonly usual: boolean})[],
  terminal: Terminal,
): Promise<readonly T[] | undefined> {
  const prompts = await import('./asking.ts');
  const shown = choices.map(({value, name, usual}) => ({value, name: clean(name), checked: usual}));
  return answerOf(terminal, context =>
    prompts.checkbox({message: clean(message), choices: shown, required: true, pageSize: 15}, context),
  );
}
