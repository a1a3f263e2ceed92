/**
 * What GitHub Actions reads in what a step writes: workflow commands. Their grammar, and what ends a command's values, is that
 * of the runner (actions/runner, src/Runner.Common/ActionCommand.cs): `::name key=value,…::data` at the start of a line, behind
 * white space too, and the older `##[name]data` anywhere in one.
 */
import type {Trouble} from '../release/model.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** Where something stands in a file of the repository. Lines and columns count from 1. */
export interface Place {
  /** Relative to the repository's root. */
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

export function onGitHub(env: Env): boolean {
  return env['GITHUB_ACTIONS'] === 'true';
}

/** A line of somebody else's text in which the runner finds no command. */
export function withoutCommands(line: string): string {
  return line.replace(/^(\s*)::/, '$1: :').replaceAll('##[', '# #[');
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function command(name: string, properties: Readonly<Record<string, string | number | undefined>>, text: string): string {
  const given = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${property(String(value))}`],
  );
  return `::${name}${given.length === 0 ? '' : ` ${given.join(',')}`}::${data(text)}`;
}

/** What stands on the page of the run, and beside the file where a place is given. */
export function annotation(
  level: 'error' | 'warning',
  text: string,
  {title, place}: {readonly title?: string; readonly place?: Place | undefined} = {},
): string {
  return command(level, {file: place?.file, line: place?.line, col: place?.column, title}, text);
}

/** A failure as an annotation: what, what it means, what to do. */
export function failure(title: string, {what, means, next = []}: Trouble, place: Place | undefined): string {
  return annotation('error', [what, ...(means === undefined ? [] : [means]), ...next].join('\n'), {title, place});
}

/** `file:line:column: text`, as mistakes in the config file are told; undefined for any other line. */
export function mistake(line: string, relative: (file: string) => string): string | undefined {
  const [, file, number, column, text] = /^(.+?):(\d+):(\d+): (.*)$/.exec(line) ?? [];
  return file === undefined || text === undefined
    ? undefined
    : annotation('error', text, {place: {file: relative(file), line: Number(number), column: Number(column)}});
}

/** What hides a secret in all that the job writes from now on: one line of it, for the runner looks line by line. */
export const mask = (line: string): string => command('add-mask', {}, line);

export const openGroup = (title: string): string => command('group', {}, title);
export const closeGroup = '::endgroup::';

/** Outputs of the step, as the file that `GITHUB_OUTPUT` names takes them. `delimiter`: a line that no value holds. */
export function outputLines(values: Readonly<Record<string, string>>, delimiter: string): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}<<${delimiter}\n${value}\n${delimiter}\n`)
    .join('');
}
