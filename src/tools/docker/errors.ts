import {DeployError} from '../../release/errors.ts';
import {CommandError, type Environment} from '../exec.ts';
import {LoginError} from '../registry/errors.ts';
import {parseImageName} from '../registry/image-name.ts';

/** The engine, not what was asked of it, is the problem. */
const noEngine =
  /cannot connect to the docker daemon|error during connect|docker daemon socket|docker API at|failed to initialize/i;

/** There is no engine to talk to. `said` is what the client wrote to stderr. */
export function engineMissing(said: string, env: Environment): DeployError {
  const reason = said.trim();
  const host = /\b(?:unix|tcp|npipe|ssh|fd|https?):\/\/[^\s"]+?(?=[".:,]*(?:\s|$))/.exec(reason)?.[0] ?? env['DOCKER_HOST'];
  const what = host === undefined ? 'The Docker client finds no engine.' : `No Docker engine answers at ${host}.`;
  const next = [
    /permission denied/i.test(reason)
      ? 'Let your user use Docker: `sudo usermod -aG docker "$USER"`, then log in again.'
      : 'Start Docker (`sudo systemctl start docker`, or Docker Desktop).',
    env['DOCKER_HOST']
      ? `Check DOCKER_HOST: it is ${env['DOCKER_HOST']}.`
      : 'Or choose another engine: `docker context ls`, or DOCKER_HOST.',
  ];
  return new DeployError([what, reason].filter(Boolean).join('\n'), {code: 'DW123', next});
}

/** The legacy builder would build as if there were no secrets. `asked`: with DOCKER_BUILDKIT=0. */
export function secretsNeedBuildKit(asked: boolean): DeployError {
  return new DeployError('Secrets of a build take BuildKit, and the legacy builder would build here.', {
    means: 'Nothing was built.',
    next: [asked ? 'Remove DOCKER_BUILDKIT=0.' : 'Install the buildx plug-in: https://docs.docker.com/go/buildx/'],
    final: true,
  });
}

/** A docker command failed: says so if that was for want of an engine. */
export function dockerFailed(error: unknown, env: Environment): unknown {
  const said = error instanceof CommandError ? error.lastLines.join('\n') : '';
  return noEngine.test(said) ? engineMissing(said, env) : error;
}

/** `docker push` failed: says why where its words are known. */
export function pushFailed(error: unknown, reference: string): unknown {
  if (!(error instanceof CommandError)) return error;
  const said = error.lastLines.join('\n');
  const {registry} = parseImageName(reference);
  if (/no basic auth credentials|unauthorized|authentication required|denied|authorization token has expired/i.test(said)) {
    return new LoginError(registry, `The registry ${registry} does not take ${reference}: ${error.lastLines.at(-1)}`, error);
  }
  const known = pushProblems.find(problem => problem.said.test(said));
  return known ? new DeployError(error.message, {next: [known.next.replace('REGISTRY', registry)], cause: error}) : error;
}

const pushProblems: readonly {said: RegExp; next: string}[] = [
  {said: /does not exist locally/i, next: 'Build the image first: the engine has none of that name.'},
  // ECR makes no repositories by itself, and may forbid to move a tag.
  {said: /name unknown|repository .* does not exist/i, next: 'Create the repository in REGISTRY first, or check its name.'},
  {
    said: /cannot be overwritten|tag is immutable|repository is immutable/i,
    next: 'The tag is taken and may not be moved: choose another version.',
  },
  {
    said: /server gave HTTP response to HTTPS client/i,
    next: 'REGISTRY speaks plain HTTP: list it under `insecure-registries` in the engine’s daemon.json, or give it a certificate.',
  },
  {
    said: /connection refused|no such host|i\/o timeout|TLS handshake timeout|network is unreachable/i,
    next: 'Check that REGISTRY can be reached from the Docker engine (network, VPN, proxy).',
  },
];
