/** `${version}`, `${environment}`, `${values.x}`, `${env:NAME}` in the strings of a config; `$${` is a plain `${`. */
import type {Json} from '../release/json.ts';

export interface Names {
  readonly version: string;
  readonly environment: string;
  readonly values: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const reference = /\$\$\{|\$\{([^}]*)\}?/g;

/** Every string of a JSON value with its references replaced. Throws an Error that names the reference that means nothing. */
export function interpolate<T extends Json>(value: T, names: Names): T;
export function interpolate(value: Json, names: Names): Json {
  if (typeof value === 'string')
    return value.replace(reference, (whole, name?: string) => (name === undefined ? '${' : resolve(whole, name, names)));
  if (Array.isArray(value)) return value.map((item: Json) => interpolate(item, names));
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolate(item, names)]));
  }
  return value;
}

function resolve(whole: string, written: string, names: Names): string {
  if (!whole.endsWith('}')) throw new Error(`${whole}: a reference that is not closed; write $\${ for a plain \${`);
  const name = written.trim();
  const found =
    name === 'version'
      ? names.version
      : name === 'environment'
        ? names.environment
        : name.startsWith('values.')
          ? names.values[name.slice('values.'.length)]
          : name.startsWith('env:')
            ? names.env[name.slice('env:'.length)]
            : undefined;
  // Whatever else an object has by that name (`constructor`) is no value.
  if (typeof found === 'string') return found;
  if (name.startsWith('env:')) throw new Error(`${whole}: the environment variable ${name.slice(4)} is not set`);
  if (name.startsWith('values.')) {
    const known = Object.keys(names.values);
    throw new Error(
      `${whole}: environment ${names.environment} has no such value (it has ${known.length === 0 ? 'none' : known.join(', ')})`,
    );
  }
  throw new Error(`${whole}: not a reference; there are \${version}, \${environment}, \${values.x} and \${env:NAME}`);
}

/** Settings whose values are sent elsewhere: what of the environment goes into them may be a token. */
const sentElsewhere = new Set(['message', 'attributes', 'verify', 'args']);

/** Shorter ones are ordinary words. */
const shortestSecret = 6;

/**
 * The values of `${env:NAME}` that must be on no screen and in no record: of the names that messages, verification and the arguments
 * of a build hold. A name that is used for anything else as well, such as a cluster's, is no secret.
 */
export function secretReferences(config: Json, env: Names['env']): readonly string[] {
  const names = {sent: new Set<string>(), other: new Set<string>()};
  const visit = (value: Json, sent: boolean): void => {
    if (typeof value === 'string') {
      for (const [, name] of value.matchAll(reference)) {
        if (name?.trim().startsWith('env:')) names[sent ? 'sent' : 'other'].add(name.trim().slice('env:'.length));
      }
    } else if (Array.isArray(value)) value.forEach((item: Json) => visit(item, sent));
    else if (value !== null) for (const [key, item] of Object.entries(value)) visit(item, sent || sentElsewhere.has(key));
  };
  visit(config, false);
  return [...names.sent]
    .filter(name => !names.other.has(name))
    .flatMap(name => env[name] ?? [])
    .filter(value => value.length >= shortestSecret);
}
