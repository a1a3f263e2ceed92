/**
 * Reads and edits the top-level attributes of `*.tfvars` and `*.tfvars.json` files, keeping every other byte.
 *
 * Pure: text in, text out. What is accepted, and how strings are read, was measured with Terraform 1.11.4. This is no validator: an
 * expression that Terraform would refuse may pass, but where an attribute begins and ends is never a guess.
 */
import {applyEdits, LocatedError, positionOf, type Range, type Source} from './editing/source.ts';
import {hcl} from './tfvars/hcl.ts';
import {json} from './tfvars/json.ts';
import type {Attribute, Language} from './tfvars/language.ts';

/** The value of an attribute: its place (UTF-16 offsets) and how it is written. */
export interface TfvarsValue extends Range {
  readonly raw: string;
  /** What Terraform makes of it, when it is a plain quoted string; undefined for templates, heredocs, numbers, lists, maps… */
  readonly string: string | undefined;
}

/** What an attribute is set to: a text, or what stood there once and is no text (a number, a list), as it was written. */
export type TfvarsSetting = string | {readonly raw: string};
export type TfvarsSettings = Readonly<Record<string, TfvarsSetting>>;

/** A tfvars file that cannot be read, or a value that cannot be written; the message starts with `path:line:column`. */
export class TfvarsError extends LocatedError {
  override readonly name = 'TfvarsError';
}

/**
 * The values of the top-level attributes of a tfvars file, by name, in the order of the file.
 *
 * Throws a TfvarsError where the text is not HCL (or JSON, when the path ends with `.json`), and when a name is set twice.
 */
export function parseTfvars(text: string, path: string): ReadonlyMap<string, TfvarsValue> {
  const attributes = languageOf(path).read(sourceOf(text, path));
  const byName = new Map<string, Attribute>();
  for (const attribute of attributes) {
    const earlier = byName.get(attribute.name);
    if (earlier !== undefined) throw redefined(text, path, earlier, attribute);
    byName.set(attribute.name, attribute);
  }
  return new Map(attributes.map(attribute => [attribute.name, describe(text, attribute)]));
}

/**
 * The text with top-level attributes set; every other byte stays, comments and alignment included. A value that already is
 * that text keeps its spelling. Attributes that are not there yet are added behind the last one, in the file's own style.
 *
 * Throws a TfvarsError as `parseTfvars` does, for a name or a value that cannot be written, and when the result does not read back as
 * intended.
 */
export function editTfvars(text: string, path: string, set: TfvarsSettings): string {
  const [language, source, before] = [languageOf(path), sourceOf(text, path), parseTfvars(text, path)];
  const changes = Object.entries(set).filter(([name, setting]) => !says(before.get(name), setting));

  const lossy = changes.find(([, setting]) => typeof setting === 'string' && asTerraformReads(setting) !== setting);
  if (lossy !== undefined) {
    const at = before.get(lossy[0])?.start ?? text.length;
    throw source.error(
      at,
      `the new value of ${lossy[0]} is not in Unicode normal form C: Terraform would read it as another text`,
    );
  }

  const written = changes.map(
    ([name, setting]) => [name, typeof setting === 'string' ? language.encode(setting) : setting.raw] as const,
  );
  const replaced = written.flatMap(([name, replacement]) => {
    const current = before.get(name);
    return current === undefined ? [] : [{start: current.start, end: current.end, replacement}];
  });
  const added = written.filter(([name]) => !before.has(name));
  const edited = applyEdits(text, added.length === 0 ? replaced : [...replaced, language.append(source, added)]);
  proveEdit(edited, path, before, set);
  return edited;
}

/** Throws unless the edited text says what was asked for, and the same as before about everything else. */
function proveEdit(edited: string, path: string, before: ReadonlyMap<string, TfvarsValue>, set: TfvarsSettings): void {
  const after = parseTfvars(edited, path);
  const names = new Set([...before.keys(), ...after.keys(), ...Object.keys(set)]);
  const wrong = [...names].find(name => {
    const setting = Object.hasOwn(set, name) ? set[name] : undefined;
    return setting === undefined ? after.get(name)?.raw !== before.get(name)?.raw : !says(after.get(name), setting);
  });
  if (wrong !== undefined)
    throw new TfvarsError({path, text: edited}, after.get(wrong)?.start ?? 0, `the edit would give ${wrong} another value`);
}

/** Whether a value is what it is set to. */
function says(value: TfvarsValue | undefined, setting: TfvarsSetting): boolean {
  return typeof setting === 'string' ? value?.string === setting : value?.raw === setting.raw;
}

const languageOf = (path: string): Language => (path.endsWith('.json') ? json : hcl);

const sourceOf = (text: string, path: string): Source => ({
  text,
  error: (at, problem) => new TfvarsError({path, text}, at, problem),
});

const describe = (text: string, {value, string}: Attribute): TfvarsValue => ({
  ...value,
  raw: text.slice(value.start, value.end),
  string: string === undefined ? undefined : asTerraformReads(string),
});

/** Terraform normalises strings (NFC), and reads half a surrogate pair, which only JSON can spell, as U+FFFD. */
const asTerraformReads = (text: string): string => text.toWellFormed().normalize('NFC');

function redefined(text: string, path: string, earlier: Attribute, again: Attribute): TfvarsError {
  const {line, column} = positionOf(text, earlier.at);
  return new TfvarsError(
    {path, text},
    again.at,
    `Attribute redefined: ${again.name} was already set at ${path}:${line}:${column}`,
  );
}
