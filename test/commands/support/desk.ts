/** Commands in this process: PASS on the embedded endpoint, a clock that runs faster, and streams that remember what was written. */
import {PassThrough} from 'node:stream';
import type {Context} from '../../../src/commands/context.ts';
import type {ReleaseOptions} from '../../../src/commands/release.ts';
import type {Clock} from '../../../src/release/contract.ts';
import {StoppedError} from '../../../src/release/errors.ts';
import type {Workplace} from '../../support/pass.ts';

/** How much faster than outside time runs: on the endpoint, and for those who wait for it. */
export const speed = 60;

/** Waits a part of what it is told, and shows the whole of it: as fast as the endpoint that it works on. */
function fastClock(): Clock {
  const start = Date.now();
  return {
    now: () => start + (Date.now() - start) * speed,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const stopped = () => {
          clearTimeout(timer);
          reject(new StoppedError('stopped while waiting'));
        };
        const timer = setTimeout(() => {
          signal.removeEventListener('abort', stopped);
          resolve();
        }, ms / speed);
        if (signal.aborted) stopped();
        else signal.addEventListener('abort', stopped, {once: true});
      }),
  };
}

export interface Desk {
  readonly context: Context;
  stdout(): string;
  stderr(): string;
  /** What is typed, and that nothing more will be. */
  type(text: string): void;
}

/** Somebody at a terminal that is none, in the workplace. */
export function deskAt({folder, env}: Pick<Workplace, 'folder' | 'env'>, more: Partial<Context> = {}): Desk {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const written = [stdout, stderr].map(stream => {
    let text = '';
    stream.on('data', chunk => (text += String(chunk)));
    return () => text;
  });
  return {
    context: {
      env,
      cwd: folder,
      home: env['HOME'] ?? folder,
      user: 'jo',
      host: 'laptop',
      pid: process.pid,
      // Streams that are no terminal: all that a command asks of them is whether they are one.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      ...({stdin, stdout, stderr} as unknown as Pick<Context, 'stdin' | 'stdout' | 'stderr'>),
      clock: fastClock(),
      tool: {version: '0.0.0', node: process.versions.node},
      supervisor: {node: process.execPath, script: 'not needed'},
      program: {node: process.execPath, script: 'not needed'},
      suspend: () => undefined,
      onWindowChange: () => () => undefined,
      onSignal: () => () => undefined,
      ...more,
    },
    stdout: () => written[0]?.() ?? '',
    stderr: () => written[1]?.() ?? '',
    type: text => void stdin.end(text),
  };
}

/** The options of a release without questions, as the command line makes them. */
export function unattended(more: Partial<ReleaseOptions> = {}): ReleaseOptions {
  return {
    env: 'production',
    release: '1.14.0',
    yes: true,
    dryRun: false,
    allow: [],
    output: 'auto',
    tui: true,
    maxParallel: 4,
    ...more,
  };
}
