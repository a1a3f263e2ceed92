/**
 * The variable files of a module against what it declares: which value wins, which is lost, and which are secret. All of it is known
 * without `terraform init`, so it is said before anything is built (facts/terraform.md 1.7, 1.8).
 */
import {readdir} from 'node:fs/promises';
import path from 'node:path';
import {textsOfSecret} from '../../tools/terraform/secrets.ts';
import {readText} from '../../tools/files.ts';
import type {Named} from '../../release/contract.ts';
import type {Io} from '../io.ts';
import {parseTfvars, type TfvarsValue} from '../tfvars.ts';
import {type TerraformConfig, pathsOf} from './config.ts';
import {declaredVariables, type DeclaredVariable} from './declared.ts';

type Declared = ReadonlyMap<string, DeclaredVariable>;
type Values = ReadonlyMap<string, TfvarsValue>;

/** A variable file with what it sets. */
interface VariableFile {
  /** Without its folder. */
  readonly name: string;
  readonly values: Values;
}

interface VariableFiles {
  /** The one that a release edits. */
  readonly own: VariableFile;
  /** What Terraform loads by itself beside it; in its order, in which the last one wins. */
  readonly before: readonly VariableFile[];
  readonly after: readonly VariableFile[];
}

/** Why a release would deploy, or a person would get, another value than it seems. */
export interface VariableProblem {
  readonly found: string;
  readonly next: string;
}

/** The first problem of a component's variables; undefined where there is none, or where the module cannot be read. */
export async function variableProblem(component: Named<TerraformConfig>, io: Io): Promise<VariableProblem | undefined> {
  const {directory} = pathsOf(component, io);
  const files = await variableFiles(component, io);
  const conflict = shadowed(component, files);
  if (conflict) return conflict;
  const declared = await declaredVariables(directory);
  return (
    declared && (misspelt(component, files, declared) ?? mistyped(component, declared) ?? missing(component, files, declared, io))
  );
}

/** Whether a plan leaves out a variable, which the apply then has to be told once more. */
export async function hasEphemeral(directory: string): Promise<boolean> {
  return [...((await declaredVariables(directory))?.values() ?? [])].some(({ephemeral}) => ephemeral);
}

/** Hides the values of sensitive variables from now on: a plan that fails may quote them, and leaves no plan to take them from. */
export async function learnVariables(component: TerraformConfig, io: Io): Promise<void> {
  const declared = await declaredVariables(pathsOf(component, io).directory);
  const {own, before, after} = await variableFiles(component, io);
  for (const [name, {sensitive, default: preset}] of declared ?? []) {
    if (!sensitive) continue;
    const values = [own, ...before, ...after].flatMap(({values}) => values.get(name) ?? []);
    const given = component.fromEnv.includes(name) ? (io.env[`TF_VAR_${name}`] ?? '') : '';
    const set = Object.hasOwn(component.set, name) ? (component.set[name] ?? '') : '';
    const usual = preset === undefined ? [] : literalsOf({string: undefined, raw: preset});
    for (const secret of [given, set, ...usual, ...values.flatMap(literalsOf)].flatMap(textsOfSecret)) io.learnSecret(secret);
  }
}

/** A plain text as it is; of anything else (a map, a heredoc) its texts and its lines. */
function literalsOf({string, raw}: Pick<TfvarsValue, 'string' | 'raw'>): readonly string[] {
  if (string !== undefined) return [string];
  const texts = Array.from(raw.matchAll(/"((?:[^"\\]|\\.)*)"/g), match => match[1] ?? '');
  return [...texts, ...texts.map(unescaped), raw];
}

/** A text between quotes as it is meant, but for `\\u`. */
function unescaped(text: string): string {
  return text.replaceAll(/\\(.)|([$%])\2\{/g, (_, escaped: string | undefined, mark: string) =>
    escaped === undefined ? `${mark}{` : ({n: '\n', r: '\r', t: '\t'}[escaped] ?? escaped),
  );
}

/** facts/terraform.md 1.7: each wins over the ones before it. */
async function variableFiles(component: TerraformConfig, io: Io): Promise<VariableFiles> {
  const {directory, varFile} = pathsOf(component, io);
  const names = await readdir(directory);
  const loaded = [
    ...['terraform.tfvars', 'terraform.tfvars.json'].filter(name => names.includes(name)),
    ...names.filter(name => /\.auto\.tfvars(?:\.json)?$/.test(name)).sort(),
  ];
  const read = async (name: string): Promise<VariableFile> => {
    const file = path.join(directory, name);
    return {name, values: parseTfvars((await readText(file)).text, file)};
  };
  const own = path.relative(directory, varFile);
  const at = loaded.indexOf(own);
  // Given by hand (-var-file) it wins over all that is loaded.
  const [before, after] = at === -1 ? [loaded, []] : [loaded.slice(0, at), loaded.slice(at + 1)];
  const readAll = (all: readonly string[]) => Promise.all(all.map(read));
  return {own: await read(own), before: await readAll(before), after: await readAll(after)};
}

/** What another file sets too: whoever runs Terraform by hand gets that value, and a release the other one. */
function shadowed({set}: TerraformConfig, {own, before, after}: VariableFiles): VariableProblem | undefined {
  const inOwn = new Set([...own.values.keys(), ...Object.keys(set)]);
  const conflicts = [
    ...after.map(({name, values}) => ({name, too: [...values.keys()].filter(variable => inOwn.has(variable))})),
    // What an automatic file sets and a release sets: one of them is a mistake, although the release wins.
    ...before
      .filter(({name}) => name.includes('.auto.'))
      .map(({name, values}) => ({name, too: Object.keys(set).filter(variable => values.has(variable))})),
  ];
  const worst = conflicts.find(({too}) => too.length > 0);
  return (
    worst && {
      found: `${worst.name} sets ${worst.too.join(', ')} too: whoever runs terraform by hand gets that value`,
      next: `Take ${worst.too.join(', ')} out of ${worst.name}.`,
    }
  );
}

/** With a misspelt name Terraform keeps the old value and only warns. */
function misspelt(
  {id, set}: Named<TerraformConfig>,
  {own, before, after}: VariableFiles,
  declared: Declared,
): VariableProblem | undefined {
  const unknown = (names: Iterable<string>) => [...names].filter(name => !declared.has(name));
  const inConfig = unknown(Object.keys(set));
  if (inConfig.length > 0) {
    return {
      found: `components.${id}.set names ${quoted(inConfig)}, which the module does not declare`,
      next: `Correct the name in the config file. The module declares ${quoted([...declared.keys()]) || 'no variables'}.`,
    };
  }
  const bad = [own, ...before, ...after].map(({name, values}) => ({name, names: unknown(values.keys())}));
  const first = bad.find(({names}) => names.length > 0);
  return (
    first && {
      found: `${first.name} sets ${quoted(first.names)}, which the module does not declare`,
      next: `Correct the name in ${first.name}, or declare the variable in the module.`,
    }
  );
}

/** A version that is read as a number is another one: 1.10 is 1.1. */
function mistyped({set}: TerraformConfig, declared: Declared): VariableProblem | undefined {
  const wrong = Object.keys(set).find(name => ['number', 'bool'].includes(declared.get(name)?.type ?? ''));
  return wrong === undefined
    ? undefined
    : {
        found: `the module declares \`${wrong}\` as a ${declared.get(wrong)?.type}: Terraform would read 1.10 as 1.1`,
        next: 'Declare it as a string.',
      };
}

function missing(
  {id, set, fromEnv}: Named<TerraformConfig>,
  {own, before, after}: VariableFiles,
  declared: Declared,
  io: Io,
): VariableProblem | undefined {
  const inEnvironment = (name: string) => Boolean(io.env[`TF_VAR_${name}`]);
  const given = (name: string) =>
    Object.hasOwn(set, name) ||
    [own, ...before, ...after].some(({values}) => values.has(name)) ||
    (fromEnv.includes(name) && inEnvironment(name));
  const without = [...declared].flatMap(([name, variable]) => (variable.default !== undefined || given(name) ? [] : [name]));
  if (without.length === 0) return undefined;
  const dropped = without.filter(name => inEnvironment(name) && !fromEnv.includes(name));
  return {
    found: `nothing sets ${quoted(without)}, and the module has no default`,
    next:
      dropped.length > 0
        ? `TF_VAR_${dropped[0]} is set, and only passed on when components.${id}.fromEnv names ${dropped[0]}.`
        : `Set it in ${own.name}, or name it in components.${id}.fromEnv and set TF_VAR_${without[0]}.`,
  };
}

function quoted(names: readonly string[]): string {
  return names.map(name => `\`${name}\``).join(', ');
}
