import {copyFile, mkdir, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {execa} from 'execa';
import {part} from './requires.ts';

const port = 8080;

/**
 * Writes a Docker build context into `dir` (made if need be): an image of nothing but a static busybox, whose containers
 * answer `version` and a line feed at `/` over HTTP. No base image, so nothing is pulled.
 * `port` is where it listens in the container (8080 unless told): choose a free one for `--network host`.
 */
export async function buildContext(dir: string, page: {version: string; port?: number}): Promise<void> {
  await mkdir(join(dir, 'www'), {recursive: true});
  await copyFile(part('busybox'), join(dir, 'busybox'));
  await writeFile(join(dir, 'www', 'index.html'), `${page.version}\n`);
  await writeFile(join(dir, 'Dockerfile'), dockerfile(page.port ?? port));
}

function dockerfile(port: number): string {
  return [
    'FROM scratch',
    'COPY busybox /bin/busybox',
    'COPY www /www',
    `EXPOSE ${port}`,
    '# As process 1 busybox ignores SIGTERM: `docker stop` would wait for ten seconds.',
    'STOPSIGNAL SIGKILL',
    `CMD ${JSON.stringify(['/bin/busybox', 'httpd', '-f', '-p', String(port), '-h', '/www'])}`,
    '',
  ].join('\n');
}

/** `image` is `registry/repository:tag`. */
export async function buildImage(dir: string, image: string): Promise<void> {
  await docker('build', '--tag', image, dir);
}

export async function pushImage(image: string): Promise<void> {
  await docker('push', image);
}

/** Forgets the engine's own copy; what was pushed stays in the registry. */
export async function removeImage(image: string): Promise<void> {
  await docker('image', 'rm', '--force', image);
}

/** The digest (`sha256:…`) under which the registry itself holds a tag; undefined when it has no such tag. */
export async function registryDigest(address: string, repository: string, tag: string): Promise<string | undefined> {
  const answer = await fetch(`http://${address}/v2/${repository}/manifests/${tag}`, {
    method: 'HEAD',
    headers: {Accept: 'application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json'},
  });
  if (answer.status === 404) return undefined;
  if (!answer.ok) throw new Error(`The registry answers ${answer.status} for ${repository}:${tag}.`);
  return answer.headers.get('docker-content-digest') ?? undefined;
}

export interface RunningImage {
  container: string;
  /** Where the page is, on loopback. */
  url: string;
  remove: () => Promise<void>;
}

/** Runs an image of `buildContext` (with its usual port) on a free loopback port, and waits for its first answer. */
export async function runImage(image: string): Promise<RunningImage> {
  const container = await docker('run', '--detach', '--publish', `127.0.0.1::${port}`, image);
  const remove = async () => void (await docker('rm', '--force', '--volumes', container));
  const address = await docker('port', container, `${port}/tcp`);
  const url = `http://${address}/`;
  await firstAnswer(url).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {container, url, remove};
}

async function firstAnswer(url: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      await fetch(url, {signal: AbortSignal.timeout(1000)});
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`Nothing answers at ${url}.`, {cause: error});
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
}

/** Its output, trimmed. */
async function docker(...args: string[]): Promise<string> {
  const {stdout} = await execa(part('docker').client, args, {stdin: 'ignore'});
  return stdout.trim();
}
