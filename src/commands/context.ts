/** What a command gets of the process: everything that is not an argument of its own. Made once, in cli.ts. */
import type {Clock} from '../release/contract.ts';
import type {Actor} from '../release/events.ts';
import {identify} from '../tools/process-identity.ts';

export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly clock: Clock;
  readonly tool: {readonly version: string; readonly node: string};
  /** The running Node and the script that supervises Terraform: what is started detached. */
  readonly supervisor: {readonly node: string; readonly script: string};
  /** The running Node and the launcher: what starts the program once more. */
  readonly program: {readonly node: string; readonly script: string};
  /** Stops this process, as Ctrl-Z does; returns when the shell goes on with it, or at once where there is none. */
  readonly suspend: () => void;
  /** Calls the listener whenever the terminal says that its window was changed, to whatever size; until it is told to stop. */
  onWindowChange(listener: () => void): () => void;
  /** Calls the listener at every SIGINT, SIGTERM and SIGHUP, until it is told to stop. */
  onSignal(listener: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void): () => void;
}

/** Who this is, for a record: with the process, so that somebody on this machine can tell whether it still runs. */
export function actorOf({user, host, pid}: Pick<Context, 'user' | 'host' | 'pid'>): Actor {
  const {startTime} = identify(pid);
  return {user, host, pid, ...(startTime !== undefined && {startTime})};
}
