/** Folders for what must not be in a record: plan files and raw output hold secrets in clear. */
import {mkdir, readFile, readdir, rm, writeFile} from 'node:fs/promises';
import {randomUUID} from 'node:crypto';
import path from 'node:path';
import * as z from 'zod';
import {identify, isRunning} from '../tools/process-identity.ts';
import type {Context} from './context.ts';

const prefix = 'deploy-wizard-';

/** A folder aside for what only looks: whoever uses it removes it. */
export function temporaryFolder(env: Context['env']): string {
  return path.join(temporary(env), `${prefix}${randomUUID()}`);
}

const temporary = (env: Context['env']) => env['TMPDIR'] || '/tmp';

/** Where a run's plan files and raw output go: beside the records, never in them. */
export function scratchRoot(
  context: Pick<Context, 'env' | 'home'>,
  {application, environment, run}: {readonly application: string; readonly environment: string; readonly run: string},
): string {
  const state = context.env['XDG_STATE_HOME'] || path.join(context.home, '.local', 'state');
  return path.join(state, 'deploy-wizard', '.scratch', application, environment, run);
}

const ownerFile = 'owner.json';
const owner = z.object({host: z.string(), pid: z.number(), startTime: z.string().optional()});

type Process = Pick<Context, 'env' | 'host' | 'pid'>;

/** Makes the folder (0700) and says whose it is; takes away what processes that were killed have left behind. */
export async function makeScratch(folder: string, {env, host, pid}: Process): Promise<void> {
  await mkdir(folder, {recursive: true, mode: 0o700});
  await writeFile(path.join(folder, ownerFile), JSON.stringify({host, ...identify(pid)}), {mode: 0o600});
  await sweep(temporary(env), host);
}

/** The folders of a run stay until somebody has gone on with it; one for a look is of no use to anybody else. */
async function sweep(root: string, host: string): Promise<void> {
  const names = (await readdir(root).catch((): string[] => [])).filter(name => name.startsWith(prefix));
  for (const name of names) {
    const folder = path.join(root, name);
    const said = await readFile(path.join(folder, ownerFile), 'utf8').catch(() => undefined);
    const {data} = owner.safeParse(said === undefined ? undefined : parsed(said));
    // Of another machine nobody knows here; what is not ours to remove stays.
    if (data?.host === host && !isRunning(data)) await rm(folder, {recursive: true, force: true}).catch(() => undefined);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
