/** The values that a release sets in the tfvars file: what they are now, and which version they name. */
import type {Json} from '../../release/json.ts';
import {sha256} from '../../release/hash.ts';
import {readText} from '../../tools/files.ts';
import {type TfvarsSetting, type TfvarsSettings, editTfvars, parseTfvars} from '../tfvars.ts';
import type {TfvarsEdit} from './config.ts';

export interface EditedTfvars {
  readonly text: string;
  /** Of the file as it is. */
  readonly sha256: string;
  readonly file: TfvarsEdit;
  /** What the set variables are now. */
  readonly before: TfvarsSettings;
}

/** The tfvars file with these values set, and what it says as it is. Throws a TfvarsError. */
export async function editOf(varFile: string, set: TfvarsSettings): Promise<EditedTfvars> {
  const {text, sha256: before} = await readText(varFile);
  const edited = editTfvars(text, varFile, set);
  return {
    text: edited,
    sha256: before,
    file: {path: varFile, before, after: sha256(edited), set},
    before: currentValues(text, varFile, set),
  };
}

/** What the variables that a release sets are now: what is no text as it is written, so that it can be put back as it was. */
export function currentValues(text: string, varFile: string, set: TfvarsSettings): TfvarsSettings {
  const now = parseTfvars(text, varFile);
  return Object.fromEntries(
    Object.keys(set).flatMap(name => {
      const value = now.get(name);
      return value === undefined ? [] : [[name, value.string ?? {raw: value.raw}] as const];
    }),
  );
}

/** For people. */
export function shownSetting(setting: TfvarsSetting): string {
  return typeof setting === 'string' ? setting : setting.raw;
}

/** `image_tag = 0.7.2, replicas = 2` */
export function settingsInWords(set: TfvarsSettings): string {
  return Object.entries(set)
    .map(([name, setting]) => `${name} = ${shownSetting(setting)}`)
    .join(', ');
}

/** What a plan has to have as the values of these variables; without those that only Terraform can read. */
export function plannedValues(set: TfvarsSettings): Readonly<Record<string, Json>> {
  const read = (setting: TfvarsSetting): readonly Json[] => {
    if (typeof setting === 'string') return [setting];
    try {
      const value: Json = JSON.parse(setting.raw);
      return [value];
    } catch {
      return [];
    }
  };
  return Object.fromEntries(Object.entries(set).flatMap(([name, setting]) => read(setting).map(value => [name, value] as const)));
}

/**
 * The version that the variables name now: `set` says which of them hold the version `bound`, and what
 * stands around it (`v0.7.2`, `repository:0.7.2`).
 */
export function versionIn(now: TfvarsSettings, set: Readonly<Record<string, string>>, bound: string): string | undefined {
  for (const [name, value] of Object.entries(set)) {
    const at = value.indexOf(bound);
    const setting = now[name];
    if (at === -1 || setting === undefined) continue;
    const [before, after] = [value.slice(0, at), value.slice(at + bound.length)];
    const current = shownSetting(setting);
    if (current.startsWith(before) && current.endsWith(after) && current.length > before.length + after.length) {
      return current.slice(before.length, current.length - after.length);
    }
  }
  return undefined;
}
