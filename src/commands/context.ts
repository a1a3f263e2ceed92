/** What a command gets of the process: everything that is not an argument of its own. Made once, in cli.ts. */
import type {Clock} from '../release/contract.ts';

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
  /** Calls the listener at every SIGINT, SIGTERM and SIGHUP, until it is told to stop. */
  onSignal(listener: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP') => void): () => void;
}
