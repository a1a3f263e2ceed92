/**
 * Whole releases on this machine. The program runs as it does anywhere, in a process of its own, against an
 * AWS endpoint in this one; what a machine has no tools for is named and left out.
 */
import {mkdtemp} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import type {ScenarioName} from '../../emulator/index.ts';
import {exitCodes} from '../../release/errors.ts';
import {runInTerminal} from '../../tools/terminal.ts';
import type {Context} from '../context.ts';
import {preparePass} from './pass.ts';
import {prepareCookbook} from './cookbook.ts';

export interface DemoOptions {
  readonly yes: boolean;
  readonly speed: number;
  /** How AWS behaves: only what runs on it is shown then. Undefined: everything is shown, and all is well. */
  readonly scenario?: ScenarioName | undefined;
}

/** A system that stands ready for a release. */
export interface Stage {
  /** What is about to be seen, in one or two lines. */
  readonly title: string;
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** What `--yes` answers here; the wizard asks instead. */
  readonly answers: readonly string[];
  readonly version: string;
  readonly environment: string;
  close(): Promise<void>;
}

/** Why a part of the demo is left out. */
export interface LeftOut {
  readonly leftOut: string;
}

export async function demoCommand(context: Context, options: DemoOptions): Promise<number> {
  const workspace = await mkdtemp(path.join(tmpdir(), 'deploy-wizard-demo-'));
  const say = (text: string) => context.stdout.write(`${text}\n`);
  // The program in the foreground decides what an interrupt means.
  const quiet = context.onSignal(() => undefined);
  let exitCode: number = exitCodes.done;
  try {
    for (const prepare of options.scenario === undefined ? [preparePass, prepareCookbook] : [preparePass]) {
      const stage = await prepare(context, workspace, options);
      if ('leftOut' in stage) {
        say(`\n${stage.leftOut}`);
        continue;
      }
      try {
        say(`\n${stage.title}\n`);
        exitCode = await act(context, stage, options);
      } finally {
        await stage.close();
      }
      if (exitCode !== exitCodes.done) break;
    }
  } finally {
    quiet();
  }
  say(`\nThe demo's files, records included, are in ${workspace}: delete them whenever you like.`);
  return exitCode;
}

/** The release, and the audit of it when it is done. */
async function act(context: Context, stage: Stage, {yes}: DemoOptions): Promise<number> {
  const run = (...args: readonly string[]) => {
    context.stdout.write(`$ deploy-wizard ${args.join(' ')}\n`);
    return runInTerminal(context.program.node, [context.program.script, ...args], {
      cwd: stage.folder,
      env: {...context.env, ...stage.env},
    });
  };
  const released = await run(...(yes ? ['--yes', ...stage.answers] : []));
  if (released !== exitCodes.done) return released;
  context.stdout.write('\n');
  return run('audit', ...(yes ? [stage.version] : []), '--env', stage.environment);
}
