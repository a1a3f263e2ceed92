import {DeployError} from '../../release/errors.ts';

/** Where an image is. Docker's rules: https://github.com/distribution/reference */
export interface ImageName {
  /** Host, with a port if there is one: `docker.io`, `ghcr.io`, `127.0.0.1:5000`. */
  readonly registry: string;
  /** Without the registry: `library/alpine`, `dbhi/data-models-sqlalchemy`. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:…` */
  readonly digest?: string;
}

const dockerHub = 'docker.io';

const hostLabel = '[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]';
const host = String.raw`(?:(?:${hostLabel})(?:\.(?:${hostLabel}))*|\[[a-fA-F0-9:]+\])(?::\d+)?`;
const component = '[a-z0-9]+(?:(?:[.]|_{1,2}|-+)[a-z0-9]+)*';

const hostPattern = new RegExp(`^(?:${host})$`);
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-f]{32,}$/;
const longestName = 255;

/** Reads `dbhi/x:1.0`, `localhost:5000/x`, `ghcr.io/a/b@sha256:…`. Throws DeployError for what docker would refuse. */
export function parseImageName(text: string): ImageName {
  const [, named = '', digest] = /^([^@]*)(?:@(.*))?$/s.exec(text) ?? [];
  // A colon after the last slash starts a tag; one before belongs to a port.
  const [, path = '', tag] = /^(.*?)(?::([^/:]*))?$/s.exec(named) ?? [];
  const {registry, repository} = splitRegistry(path);

  const problem = problemOf(text, {registry, repository, tag, digest});
  if (problem !== undefined) throw new DeployError(`"${text}" is no image name: ${problem}.`);
  return {registry, repository, ...(tag !== undefined && {tag}), ...(digest !== undefined && {digest})};
}

/** As `docker build -t` takes it and people write it: short for Docker Hub (`dbhi/x`, `alpine`). */
export function formatImageName({registry, repository, tag, digest}: ImageName): string {
  return shortName(registry, repository) + (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`);
}

function shortName(registry: string, repository: string): string {
  const long = `${registry}/${repository}`;
  if (registry !== dockerHub) return long;
  const short = repository.replace(/^library\/(?=[^/]+$)/, '');
  // Not where the short form would be read as another registry's: docker.io/ghcr.io/x.
  const read = splitRegistry(short);
  return read.registry === registry && read.repository === repository ? short : long;
}

/** The first component is a host if it looks like one: with a dot, a port or a capital letter, or `localhost`. */
function splitRegistry(path: string): {registry: string; repository: string} {
  const slash = path.indexOf('/');
  const first = path.slice(0, Math.max(slash, 0));
  const isHost = slash > 0 && (/[.:A-Z]/.test(first) || first === 'localhost');
  const registry = isHost && first !== `index.${dockerHub}` ? first : dockerHub;
  const rest = isHost ? path.slice(slash + 1) : path;
  return {registry, repository: registry === dockerHub && !rest.includes('/') ? `library/${rest}` : rest};
}

function problemOf(
  text: string,
  name: {registry: string; repository: string; tag?: string | undefined; digest?: string | undefined},
): string | undefined {
  const {registry, repository, tag, digest} = name;
  if (/[A-Z]/.test(repository)) return 'a repository is written in lower case';
  if (!repositoryPattern.test(repository)) return 'the repository has characters, or separators, that are not allowed there';
  if (!hostPattern.test(registry)) return `"${registry}" is no host`;
  if (`${registry}/${repository}`.length > longestName) return `it is longer than ${longestName} characters`;
  if (/^[0-9a-f]{64}$/.test(text)) return 'it would be taken for an image id';
  if (tag !== undefined && !tagPattern.test(tag))
    return 'a tag has letters, digits, "_", "." and "-", at most 128, and does not start with "." or "-"';
  if (digest !== undefined && !digestPattern.test(digest)) return 'a digest is sha256: and 64 hexadecimal digits';
  return undefined;
}
