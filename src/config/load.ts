/** Reads and checks the config file. Errors carry line and column. */
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {type Document, LineCounter, type YAMLError, isMap, isNode, parseDocument, visit} from 'yaml';
import type * as z from 'zod';
import {UsageError} from '../release/errors.ts';
import {type Json, json} from '../release/json.ts';
import {type Names, interpolate} from './interpolate.ts';
import {nearest} from './nearest.ts';
import {type Config, config, configJsonSchema} from './schema.ts';

export interface LoadedConfig {
  /** Absolute path of the file. */
  readonly path: string;
  /** Absolute; paths in the config are relative to it. */
  readonly folder: string;
  readonly config: Config;
  /** The file's content before defaults, transforms and references: what a record keeps. */
  readonly source: Json;
}

/** Throws a UsageError that lists every mistake as `file:line:column: what`. */
export async function loadConfig(file: string, env: Names['env']): Promise<LoadedConfig> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`the config file cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
      code: 'DW202',
      means: 'Nothing was started.',
      next: ['Name another with --config <file>, or write one with `deploy-wizard init`.'],
      cause: error,
    });
  });
  return parseConfig(text, path.resolve(file), env);
}

export function parseConfig(text: string, file: string, env: Names['env']): LoadedConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, {lineCounter: lines, prettyErrors: false});
  const at = (offset: number) => {
    const {line, col} = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) throw mistakes(document.errors.map(error => `${at(error.pos[0])}: ${inWords(error)}`));
  const source = toJson(document, at);
  const parsed = config.safeParse(source);
  if (!parsed.success) {
    throw mistakes(
      parsed.error.issues.flatMap(issue => explain(issue, document).map(({offset, text}) => `${at(offset)}: ${text}`)),
    );
  }
  const loaded: LoadedConfig = {path: file, folder: path.dirname(file), config: parsed.data, source};
  const wrong = [
    ...wrongNeeds(parsed.data),
    ...wrongPresets(parsed.data),
    ...wrongGates(parsed.data),
    ...wrongReferences(loaded, env),
  ];
  if (wrong.length > 0) throw mistakes(wrong.map(({path, text}) => `${at(offsetOf(document, path))}: ${text}`));
  return loaded;
}

/**
 * The settings of one component, for one environment and version: references replaced, then checked
 * again, because a reference may stand for something that is not allowed there.
 */
export function componentSettings(loaded: LoadedConfig, id: string, names: Names): Json {
  const components = property(loaded.source, 'components');
  const settings = components === undefined ? undefined : property(components, id);
  if (settings === undefined) throw new UsageError(`there is no component ${id} in ${loaded.path}`, {code: 'DW206'});
  try {
    return interpolate(settings, names);
  } catch (error) {
    throw new UsageError(`${loaded.path}: components.${id}: ${error instanceof Error ? error.message : String(error)}`, {
      code: 'DW204',
      means: 'Nothing was started.',
      next: ['Set it where deploy-wizard runs, or correct the reference in the config file.'],
    });
  }
}

export function property(value: Json, key: string): Json | undefined {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && Object.hasOwn(value, key)
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}

/** What YAML can say and JSON cannot is a mistake. */
function toJson(document: Document, at: (offset: number) => string): Json {
  const wrong: string[] = [];
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document) === undefined) wrong.push(`${at(alias.range?.[0] ?? 0)}: there is no anchor &${alias.source}`);
    },
    Scalar: (_key, {value, source, range}) => {
      if (typeof value === 'number' && !Number.isFinite(value)) wrong.push(`${at(range?.[0] ?? 0)}: ${source} is not a number`);
    },
  });
  if (wrong.length > 0) throw mistakes(wrong);
  try {
    return json.parse(document.toJS({maxAliasCount: 50}) ?? {});
  } catch (error) {
    throw mistakes([`${at(0)}: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function inWords({code, message}: YAMLError): string {
  return code === 'MULTIPLE_DOCS' ? 'a second document begins here (---): a config file is one' : message;
}

function mistakes(lines: readonly string[]): UsageError {
  return new UsageError(lines.join('\n'), {code: 'DW203', means: 'Nothing was started.'});
}

// ── positions ────────────────────────────────────────────────────────────────────────────────────────

type Path = readonly PropertyKey[];

/** Where the value at a path stands; the nearest parent where there is no such value. */
function offsetOf(document: Document, at: Path): number {
  for (let length = at.length; length > 0; length--) {
    const node = document.getIn(at.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function keyOffset(document: Document, at: Path, key: string): number {
  const parent = at.length === 0 ? document.contents : document.getIn(at, true);
  const pair = isMap(parent) ? parent.items.find(({key: node}) => isNode(node) && String(node) === key) : undefined;
  return isNode(pair?.key) && pair.key.range ? pair.key.range[0] : offsetOf(document, at);
}

// ── words ────────────────────────────────────────────────────────────────────────────────────────────

interface Mistake {
  readonly offset: number;
  readonly text: string;
}

function explain(issue: z.core.$ZodIssue, document: Document): readonly Mistake[] {
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path, document);
    return issue.keys.map(key => ({
      offset: keyOffset(document, issue.path, key),
      text: `unknown key ${JSON.stringify(key)}${place(issue.path)}${suggestion(key, known)}`,
    }));
  }
  const where = issue.path.join('.') || 'the file';
  if (issue.code === 'invalid_key') {
    const text = issue.issues.map(({message}) => message).join('; ');
    return [{offset: keyOffset(document, issue.path.slice(0, -1), String(issue.path.at(-1))), text: `${where}: ${text}`}];
  }
  return [{offset: offsetOf(document, issue.path), text: `${where}: ${explanation(issue, document)}`}];
}

function explanation(issue: z.core.$ZodIssue, document: Document): string {
  if (issue.code === 'invalid_union' && issue.discriminator !== undefined) return discriminator(issue, document);
  const missing = issue.code === 'invalid_type' && issue.path.length > 0 && document.getIn(issue.path) === undefined;
  return missing ? 'is missing' : issue.message;
}

function discriminator(issue: z.core.$ZodIssueInvalidUnion, document: Document): string {
  const written: unknown = document.getIn(issue.path);
  const known = Object.values(kindNames());
  const name = typeof written === 'string' ? written : '';
  return `${name === '' ? 'a kind is missing' : `unknown kind ${JSON.stringify(name)}`}${suggestion(name, known)}`;
}

function place(at: Path): string {
  return at.length === 0 ? '' : ` in ${at.join('.')}`;
}

function suggestion(written: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const meant = nearest(written, known);
  return `${meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`} (known: ${known.join(', ')})`;
}

/** The keys that the schema knows at a path: read from its JSON Schema, the one form that names them all. */
function knownKeys(at: Path, document: Document): readonly string[] {
  let here: SchemaNode | undefined = configJsonSchema();
  for (const [index, step] of at.entries()) {
    here = pick(here, at.slice(0, index), document);
    const next: unknown =
      typeof step === 'number' ? here?.items : (here?.properties?.[String(step)] ?? here?.additionalProperties);
    here = isSchema(next) ? next : undefined;
  }
  here = pick(here, at, document);
  return Object.keys(here?.properties ?? {}).filter(key => !isNever(here?.properties?.[key]));
}

type SchemaNode = z.core.JSONSchema.JSONSchema;

/** Of several alternatives, the one whose `kind` is the written one. */
function pick(schema: SchemaNode | undefined, at: Path, document: Document): SchemaNode | undefined {
  const alternatives = schema?.oneOf ?? schema?.anyOf;
  if (alternatives === undefined) return schema;
  const kind: unknown = document.getIn([...at, 'kind']);
  return alternatives.filter(isSchema).find(one => kindOf(one) === kind);
}

function kindOf(schema: SchemaNode): unknown {
  const kind = schema.properties?.['kind'];
  return isSchema(kind) ? kind.const : undefined;
}

function kindNames(): readonly string[] {
  const components = configJsonSchema().properties?.['components'];
  const one = isSchema(components) ? components.additionalProperties : undefined;
  const alternatives = isSchema(one) ? (one.oneOf ?? one.anyOf ?? []) : [];
  return alternatives
    .filter(isSchema)
    .map(kindOf)
    .filter(kind => typeof kind === 'string');
}

function isSchema(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null;
}

function isNever(schema: unknown): boolean {
  return isSchema(schema) && isSchema(schema.not) && Object.keys(schema.not).length === 0;
}

// ── what a schema cannot say ─────────────────────────────────────────────────────────────────────────

interface Wrong {
  readonly path: Path;
  readonly text: string;
}

function wrongNeeds({components}: Config): readonly Wrong[] {
  const ids = Object.keys(components);
  const unknown = Object.entries(components).flatMap(([id, {needs = []}]) =>
    needs.flatMap((need, index) =>
      ids.includes(need) && need !== id
        ? []
        : [
            {
              path: ['components', id, 'needs', index],
              text: `components.${id} needs ${need}, ${need === id ? 'which is itself' : `which is no component${suggestion(need, ids)}`}`,
            },
          ],
    ),
  );
  if (unknown.length > 0) return unknown;
  const circle = findCircle(new Map(Object.entries(components).map(([id, {needs = []}]) => [id, needs])));
  return circle === undefined
    ? []
    : [{path: ['components', circle[0] ?? '', 'needs'], text: `components need each other in a circle: ${circle.join(' → ')}`}];
}

function wrongPresets({presets, components}: Config): readonly Wrong[] {
  const ids = Object.keys(components);
  return Object.entries(presets).flatMap(([preset, chosen]) =>
    chosen.flatMap((id, index) =>
      ids.includes(id)
        ? []
        : [{path: ['presets', preset, index], text: `presets.${preset}: ${id} is no component${suggestion(id, ids)}`}],
    ),
  );
}

/** A gate that nothing could ever open. */
function wrongGates({environments, checklist}: Config): readonly Wrong[] {
  const names = Object.keys(environments);
  const items = checklist.map(({id}) => id);
  return Object.entries(environments).flatMap(([environment, {requires = []}]) =>
    requires.flatMap(({env, ticks}, index) => {
      const at = ['environments', environment, 'requires', index];
      const others = names.filter(name => name !== environment);
      const is = env === environment ? 'is itself' : `is no environment${suggestion(env, others)}`;
      return [
        ...(others.includes(env) ? [] : [{path: [...at, 'env'], text: `environments.${environment}.requires: ${env} ${is}`}]),
        ...ticks.flatMap((tick, number) =>
          items.includes(tick)
            ? []
            : [
                {
                  path: [...at, 'ticks', number],
                  text: `environments.${environment}.requires: ${tick} is no item of the checklist${suggestion(tick, items)}`,
                },
              ],
        ),
      ];
    }),
  );
}

/** From a component over its needs back to itself; undefined where there is no such way. */
function findCircle(needs: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  // Every way on from here is known to lead nowhere: it is followed once, however many ways lead here.
  const seen = new Set<string>();
  const follow = (ids: Iterable<string>, trail: readonly string[]): readonly string[] | undefined => {
    for (const id of ids) {
      if (trail.includes(id)) return [...trail.slice(trail.indexOf(id)), id];
      if (seen.has(id)) continue;
      const circle = follow(needs.get(id) ?? [], [...trail, id]);
      if (circle !== undefined) return circle;
      seen.add(id);
    }
    return undefined;
  };
  return follow(needs.keys(), []);
}

/** References that mean nothing in some environment, at the string that holds them. */
function wrongReferences({config, source}: LoadedConfig, env: Names['env']): readonly Wrong[] {
  const components = property(source, 'components') ?? null;
  const known: Names['env'] = new Proxy(env, {get: (target, key) => target[String(key)] ?? ''});
  const seen = new Map<string, Wrong>();
  for (const [environment, {values}] of Object.entries(config.environments)) {
    for (const {path, text} of strings(components, ['components'])) {
      try {
        // Variables of the process may be set later, or only where the release runs: looked at then.
        interpolate(text, {version: '0.0.0', environment, values, env: known});
      } catch (error) {
        seen.set(path.join('\0'), {path, text: `${path.join('.')}: ${error instanceof Error ? error.message : String(error)}`});
      }
    }
  }
  return [...seen.values()];
}

function strings(value: Json, at: Path): readonly {path: Path; text: string}[] {
  if (typeof value === 'string') return [{path: at, text: value}];
  if (Array.isArray(value)) return value.flatMap((item: Json, index) => strings(item, [...at, index]));
  if (value !== null && typeof value === 'object')
    return Object.entries(value).flatMap(([key, item]) => strings(item, [...at, key]));
  return [];
}
