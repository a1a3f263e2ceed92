import {execFile, execFileSync} from 'node:child_process';
import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {promisify} from 'node:util';
import {expect, onTestFinished, test} from 'vitest';
import {startRegistry} from '../../src/emulator/registry.ts';

const docker = async (...command: readonly string[]): Promise<string> =>
  (await promisify(execFile)('docker', command)).stdout.trim();

function dockerAnswers(): boolean {
  try {
    execFileSync('docker', ['info'], {stdio: 'ignore', timeout: 10_000});
    return true;
  } catch {
    return false;
  }
}

const skipped = !process.env['CI'] && !dockerAnswers();

test.skipIf(skipped)('a real docker pushes to it and pulls from it', {timeout: 60_000}, async () => {
  const {url, close} = await startRegistry();
  onTestFinished(close);
  const folder = await mkdtemp(join(tmpdir(), 'deploy-wizard-docker-'));
  onTestFinished(() => rm(folder, {recursive: true}));
  await writeFile(join(folder, 'version'), '1.0.0');
  await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\nCOPY version /version\nLABEL version=1.0.0\n');
  const [image, again] = [`${url}/demo/app:1.0.0`, `${url}/demo/app:latest`];
  onTestFinished(async () => void (await docker('rmi', '--force', image, again).catch(() => undefined)));

  await docker('build', '--quiet', '--tag', image, folder);
  const digest = /digest: (sha256:\w+)/.exec(await docker('push', image))?.[1];
  await docker('tag', image, again);
  expect(await docker('push', again)).toContain('Layer already exists');

  const head = await fetch(`http://${url}/v2/demo/app/manifests/1.0.0`, {method: 'HEAD'});
  expect(head.headers.get('docker-content-digest')).toBe(digest);

  await docker('rmi', '--force', image, again);
  await docker('pull', `${url}/demo/app@${digest}`);
  await docker('pull', image);
  expect(await docker('inspect', '--format', '{{index .RepoDigests 0}} {{.Config.Labels.version}}', image)).toBe(
    `${url}/demo/app@${digest} 1.0.0`,
  );
});
