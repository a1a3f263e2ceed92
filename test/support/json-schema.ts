/**
 * JSON Schema (2020-12), as far as our schemas go, read straight from its specification: what zod writes is not judged by zod.
 * A keyword that is not known here is an error, so that nothing is ever let through unread.
 */
type Json = null | boolean | number | string | readonly Json[] | {readonly [key: string]: Json};
type Node = Readonly<Record<string, Json>>;

const words = new Set([
  '$schema',
  '$defs',
  '$ref',
  'title',
  'description',
  'default',
  'type',
  'const',
  'enum',
  'properties',
  'required',
  'additionalProperties',
  'propertyNames',
  'items',
  'oneOf',
  'anyOf',
  'format',
  'pattern',
]);

/** What is wrong with a value, one line each: `/path: why`. */
export function schemaProblems(schema: Json, value: Json, root: Json = schema, at = ''): readonly string[] {
  if (schema === true) return [];
  if (schema === false) return [`${at}: nothing is allowed here`];
  const node = nodeOf(schema);
  const strange = Object.keys(node).find(word => !words.has(word));
  if (strange !== undefined) throw new Error(`The checker does not know ${strange}.`);
  const again = (inner: Json, item: Json, where: string) => schemaProblems(inner, item, root, where);
  return [
    ...(typeof node['$ref'] === 'string' ? again(resolve(root, node['$ref']), value, at) : []),
    ...(node['type'] === undefined || texts(node['type']).some(type => isOf(type, value))
      ? []
      : [`${at}: no ${texts(node['type']).join(' or ')}`]),
    ...(node['const'] === undefined || same(node['const'], value) ? [] : [`${at}: not ${JSON.stringify(node['const'])}`]),
    ...(listOf(node['enum'])?.some(one => same(one, value)) === false ? [`${at}: none of ${JSON.stringify(node['enum'])}`] : []),
    ...alternatives(node, value, again, at),
    ...(typeof value === 'string' ? textProblems(node, value, at) : []),
    ...(isList(value) && node['items'] !== undefined
      ? value.flatMap((item, index) => again(node['items'] ?? true, item, `${at}/${index}`))
      : []),
    ...(isObject(value) ? objectProblems(node, value, again, at) : []),
  ];
}

type Again = (schema: Json, value: Json, at: string) => readonly string[];

function alternatives(node: Node, value: Json, again: Again, at: string): readonly string[] {
  const any = listOf(node['anyOf'])?.map(one => again(one, value, at));
  const one = listOf(node['oneOf'])?.map(one => again(one, value, at));
  const fitting = one?.filter(problems => problems.length === 0).length ?? 1;
  return [
    ...(any?.every(problems => problems.length > 0) ? [`${at}: fits none: ${any.flat().join('; ')}`] : []),
    // Of many, those of the alternative that comes closest are worth reading.
    ...(fitting === 1 ? [] : [`${at}: fits ${fitting}: ${one?.toSorted((a, b) => a.length - b.length)[0]?.join('; ') ?? ''}`]),
  ];
}

function textProblems(node: Node, value: string, at: string): readonly string[] {
  const {format, pattern} = node;
  return [
    ...(format === 'date-time' && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/.test(value) ? [`${at}: no date-time`] : []),
    ...(typeof pattern === 'string' && !new RegExp(pattern, 'u').test(value) ? [`${at}: does not match ${pattern}`] : []),
  ];
}

function objectProblems(node: Node, value: Node, again: Again, at: string): readonly string[] {
  const properties = isObject(node['properties'] ?? null) ? nodeOf(node['properties'] ?? {}) : {};
  return [
    ...texts(node['required']).flatMap(name => (Object.hasOwn(value, name) ? [] : [`${at}: ${name} is missing`])),
    ...Object.entries(value).flatMap(([name, item]) =>
      again(properties[name] ?? node['additionalProperties'] ?? true, item, `${at}/${name}`),
    ),
    ...Object.keys(value).flatMap(name => again(node['propertyNames'] ?? true, name, `${at}/${name}`)),
  ];
}

function isOf(type: string, value: Json): boolean {
  if (type === 'array') return isList(value);
  if (type === 'object') return isObject(value);
  if (type === 'null') return value === null;
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

function resolve(root: Json, reference: string): Json {
  const [start, ...path] = reference.split('/');
  if (start !== '#') throw new Error(`The checker cannot follow ${reference}.`);
  return path.reduce<Json>((node, key) => nodeOf(node)[key] ?? false, root);
}

const texts = (value: Json | undefined): readonly string[] => [value ?? []].flat().filter(item => typeof item === 'string');
const same = (a: Json, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b);
const listOf = (value: Json | undefined): readonly Json[] | undefined =>
  value !== undefined && isList(value) ? value : undefined;

function nodeOf(value: Json): Node {
  if (!isObject(value)) throw new Error(`No schema: ${JSON.stringify(value)}`);
  return value;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is Node {
  return value !== null && typeof value === 'object' && !isList(value);
}
