/** Which processes somebody starts: each program stands first on PATH, writes down its call, and becomes the real one. */
import {chmod, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {expect, onTestFinished} from 'vitest';
import {findOnPath} from './docker/real-docker.ts';

interface Trace {
  /** What PATH has to be. */
  readonly path: string;
  /** The command lines that were started during some work, in order, without options and absolute paths. */
  during(work: () => Promise<unknown>): Promise<readonly string[]>;
}

export async function traceOf(...programs: readonly string[]): Promise<Trace> {
  const folder = await mkdtemp(join(tmpdir(), 'dw-trace-'));
  onTestFinished(() => rm(folder, {recursive: true, force: true}));
  const calls = join(folder, 'calls');
  await writeFile(calls, '');
  for (const program of programs) {
    const real = (await findOnPath(program)) ?? expect.fail(`${program} is not on PATH.`);
    const file = join(folder, program);
    await writeFile(file, `#!/bin/sh\necho "${program} $*" >> '${calls}'\nexec '${real}' "$@"\n`);
    await chmod(file, 0o755);
  }
  return {
    path: [folder, process.env['PATH'] ?? ''].join(delimiter),
    during: async work => {
      const before = (await readFile(calls, 'utf8')).length;
      await work();
      const lines = (await readFile(calls, 'utf8')).slice(before).split('\n');
      return lines.filter(line => line !== '').map(line => line.replaceAll(/ [-/]\S*/g, ''));
    },
  };
}
