/** What could stand at the end of a command line: for the scripts of `completion`, at every press of a key. Never fails. */
import type {Argument, Command, Option} from 'commander';
import type {Config} from '../config/schema.ts';
import {isS3} from '../record/place.ts';
import {flags, risks} from '../release/words.ts';
import {type Application, openApplication} from './application.ts';
import {files} from './completion.ts';
import type {Context} from './context.ts';

/** A value, and what it is, in a few words. */
interface Candidate {
  readonly value: string;
  readonly about: string;
}

/** The command line as far as it was typed. */
interface Typed {
  readonly command: Command;
  /** What was given to the command, without options and their values. */
  readonly operands: readonly string[];
  /** The option whose value comes next. */
  readonly option: Option | undefined;
  readonly environment: string | undefined;
  readonly config: string | undefined;
}

/**
 * Writes the candidates for the last of the words, one a line with a tab before what it is. `isMeant`: whether an option of the
 * program means anything to a command.
 */
export async function completeCommand(
  context: Context,
  program: Command,
  isMeant: (command: Command, option: Option) => boolean,
  words: readonly string[],
): Promise<void> {
  const last = words.at(-1) ?? '';
  const [, option = '', value] = /^(--[\w-]+)=(.*)$/s.exec(last) ?? [];
  const before = value === undefined ? words.slice(0, -1) : [...words.slice(0, -1), option];
  const typed = read(program, before);
  const start = value ?? last;
  const found = typed.option
    ? await valuesOf(context, typed, typed.option)
    : start.startsWith('-')
      ? optionsOf(program, isMeant, typed.command)
      : await operandsOf(context, program, typed);
  const prefix = value === undefined ? '' : `${option}=`;
  const lines = found.filter(one => one.value === files || one.value.startsWith(start));
  // That files are wanted is the whole of its line: what zsh and fish compare it with.
  for (const {value: text, about} of lines) context.stdout.write(text === files ? `${files}\n` : `${prefix}${text}\t${about}\n`);
}

/** Follows the words as the parser would. */
function read(program: Command, words: readonly string[]): Typed {
  let command = program;
  let option: Option | undefined;
  const operands: string[] = [];
  const values = new Map<string, string>();
  for (const word of words) {
    if (option !== undefined) {
      values.set(option.attributeName(), word);
      option = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      const known = [...command.options, ...program.options].find(one => one.long === word || one.short === word);
      option = known?.required ? known : undefined;
      continue;
    }
    const sub = command === program ? program.commands.find(one => one.name() === word) : undefined;
    if (sub) command = sub;
    else operands.push(word);
  }
  return {command, operands, option, environment: values.get('env'), config: values.get('config')};
}

function optionsOf(
  program: Command,
  isMeant: (command: Command, option: Option) => boolean,
  command: Command,
): readonly Candidate[] {
  const own = command.options;
  const common = command === program ? [] : program.options.filter(option => isMeant(command, option));
  const all = [...own, ...common.filter(option => !own.some(({long}) => long === option.long))];
  return [...all, {long: '--help', description: 'help for the command'}].flatMap(({long, description}) =>
    long ? [{value: long, about: description}] : [],
  );
}

async function operandsOf(context: Context, program: Command, typed: Typed): Promise<readonly Candidate[]> {
  const {command, operands} = typed;
  if (command === program) {
    return program.commands.filter(one => !hidden.has(one.name())).map(one => ({value: one.name(), about: one.description()}));
  }
  const argument: Argument | undefined = command.registeredArguments[operands.length];
  if (argument === undefined) return [];
  if (argument.argChoices) return argument.argChoices.map(value => ({value, about: ''}));
  return dynamic(context, typed, argument.name());
}

/** Commands that nobody types. */
const hidden: ReadonlySet<string> = new Set(['complete']);

async function valuesOf(context: Context, typed: Typed, option: Option): Promise<readonly Candidate[]> {
  if (option.argChoices) return option.argChoices.map(value => ({value, about: ''}));
  return dynamic(context, typed, option.attributeName());
}

/** What the config file and the records know, by the name of an option or an argument. */
const known: Readonly<
  Record<string, (application: Application, typed: Typed) => readonly Candidate[] | Promise<readonly Candidate[]>>
> = {
  env: ({loaded}) => entries(loaded.config.environments, ({aws}) => [aws?.accountId, aws?.region].filter(Boolean).join(' ')),
  component: ({loaded}) => entries(loaded.config.components, ({kind}) => kind),
  preset: ({loaded}) => entries(loaded.config.presets, ids => ids.join(', ')),
  item: ({loaded}) => loaded.config.checklist.map(({id, text}) => ({value: id, about: text})),
  allow: ({loaded}) => {
    const all = [...risks.filter(risk => risk !== 'none'), ...flags];
    const ids = Object.keys(loaded.config.components);
    return all.flatMap(what => [{value: what, about: ''}, ...ids.map(id => ({value: `${what}:${id}`, about: ''}))]);
  },
  override: async () => (await import('./gates.ts')).overrideNames.map(value => ({value, about: ''})),
  release: versionsIn,
  to: versionsIn,
  version: versionsIn,
  run: async (application, typed) => (await runsIn(application, typed)).map(value => ({value, about: ''})),
};

const isFile: ReadonlySet<string> = new Set(['config', 'out', 'approve']);

async function dynamic(context: Context, typed: Typed, name: string): Promise<readonly Candidate[]> {
  if (isFile.has(name)) return [{value: files, about: ''}];
  const look = known[name];
  if (look === undefined) return [];
  try {
    return await look(await openApplication(context, typed.config, 'remembered'), typed);
  } catch {
    // Whoever completes a line is told nothing of a config file that is missing or wrong: the command says it.
    return [];
  }
}

function entries<T>(record: Readonly<Record<string, T>>, about: (value: T) => string): readonly Candidate[] {
  return Object.entries(record).map(([value, more]) => ({value, about: about(more)}));
}

async function versionsIn(application: Application, typed: Typed): Promise<readonly Candidate[]> {
  const versions = (await runsIn(application, typed)).flatMap(run => /Z-(.+)$/.exec(run)?.[1] ?? []);
  return [...new Set(versions)].map(value => ({value, about: ''}));
}

/** Newest first. A bucket is too far away to be asked while somebody types. */
async function runsIn({loaded, store}: Application, {environment}: Typed): Promise<readonly string[]> {
  const {environments}: Config = loaded.config;
  const [only, ...others] = Object.keys(environments);
  const name = environment ?? (others.length === 0 ? only : undefined);
  return name === undefined || isS3(store.place) ? [] : store.runs(name);
}
