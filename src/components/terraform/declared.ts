/**
 * The input variables that a module declares, read from its files: known before `terraform init`, and so before anything is built.
 * Where a file cannot be read, nothing is known: Terraform says why in its own words, once it plans.
 */
import {readdir} from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import {readText} from '../../tools/files.ts';
import {LocatedError, type Source} from '../editing/source.ts';
import {isMark, isName, readLines, type Tree} from '../editing/trees.ts';
import {HCL_RULES} from '../tfvars/hcl.ts';

export interface DeclaredVariable {
  /** As written: `string`, `list(string)`; undefined where any type will do. */
  readonly type: string | undefined;
  /** As written; undefined where there is none, and it has to be set. */
  readonly default: string | undefined;
  readonly sensitive: boolean;
  /** In no plan: an apply has to be told its value once more. */
  readonly ephemeral: boolean;
}

/** The declared variables by name; undefined where some file of the module cannot be read. */
export async function declaredVariables(directory: string): Promise<ReadonlyMap<string, DeclaredVariable> | undefined> {
  const names = (await readdir(directory)).filter(name => /\.tf(?:\.json)?$/.test(name) && !name.startsWith('.'));
  const declared = new Map<string, DeclaredVariable>();
  for (const name of names.sort()) {
    const file = path.join(directory, name);
    const found = name.endsWith('.json') ? inJson(await textOf(file)) : inHcl(file, await textOf(file));
    if (found === undefined) return undefined;
    // An override file adds to what another one declares.
    for (const [variable, more] of found) declared.set(variable, merged(declared.get(variable), more));
  }
  return declared;
}

async function textOf(file: string): Promise<string> {
  return (await readText(file)).text;
}

function merged(before: DeclaredVariable | undefined, more: DeclaredVariable): DeclaredVariable {
  return {
    type: more.type ?? before?.type,
    default: more.default ?? before?.default,
    sensitive: more.sensitive || (before?.sensitive ?? false),
    ephemeral: more.ephemeral || (before?.ephemeral ?? false),
  };
}

type Found = readonly (readonly [name: string, DeclaredVariable])[];

function inHcl(file: string, text: string): Found | undefined {
  try {
    return linesOf(file, text).flatMap(([keyword, label, body]) => {
      const name = label?.kind === 'string' ? label.text.slice(1, -1) : label?.kind === 'name' ? label.text : undefined;
      if (!isName(keyword, 'variable') || name === undefined || body?.kind !== '{') return [];
      return [[name, describe(attributesOf(file, body))] as const];
    });
  } catch (error) {
    if (error instanceof LocatedError) return undefined;
    throw error;
  }
}

function linesOf(file: string, text: string) {
  const source: Source = {text, error: (at, problem) => new LocatedError({path: file, text}, at, problem)};
  return readLines(source, HCL_RULES);
}

/** The attributes of a block, as written. Brackets hide the ends of lines: what is between them is read once more. */
function attributesOf(file: string, body: Tree): ReadonlyMap<string, string> {
  const inner = body.text.slice(1, -1);
  return new Map(
    linesOf(file, inner).flatMap(([name, equals, ...value]) => {
      const [first, last] = [value[0], value.at(-1)];
      if (name?.kind !== 'name' || !isMark(equals, '=') || first === undefined || last === undefined) return [];
      return [[name.text, inner.slice(first.start, last.end)] as const];
    }),
  );
}

function describe(attributes: ReadonlyMap<string, string>): DeclaredVariable {
  return {
    type: attributes.get('type'),
    default: attributes.get('default'),
    sensitive: attributes.get('sensitive') === 'true',
    ephemeral: attributes.get('ephemeral') === 'true',
  };
}

const block = z.looseObject({type: z.string().optional(), sensitive: z.boolean().optional(), ephemeral: z.boolean().optional()});
const blocks = z.record(z.string(), z.union([block, z.array(block)]));
const jsonModule = z.looseObject({variable: z.union([blocks, z.array(blocks)]).optional()});

function inJson(text: string): Found | undefined {
  const {data} = jsonModule.safeParse(parsed(text));
  return (
    data && [data.variable ?? []].flat().flatMap(group => Object.entries(group).map(([name, one]) => [name, inOne(one)] as const))
  );
}

function inOne(one: z.infer<typeof blocks>[string]): DeclaredVariable {
  const attributes = Object.fromEntries([one].flat().flatMap(part => Object.entries(part)));
  const {type, sensitive = false, ephemeral = false} = block.parse(attributes);
  const written = Object.hasOwn(attributes, 'default') ? JSON.stringify(attributes['default']) : undefined;
  return {type, sensitive, ephemeral, default: written};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
