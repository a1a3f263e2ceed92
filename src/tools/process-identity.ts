/** Which process it is: a pid alone may belong to another one by now. Depends on nothing but Node, for the supervisor. */
import {execFileSync} from 'node:child_process';
import {readFileSync} from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Tells it from a later process with the same pid, also after a reboot. Absent where the system does not say. */
  readonly startTime?: string | undefined;
}

export function identify(pid: number): ProcessIdentity {
  const startTime = lookUp(pid)?.startTime;
  return {pid, ...(startTime !== undefined && {startTime})};
}

/** Whether that very process still runs. One that has ended and waits for its parent to notice does not. */
export function isRunning({pid, startTime}: ProcessIdentity): boolean {
  const found = lookUp(pid);
  return found !== undefined && !found.ended && (startTime === undefined || found.startTime === startTime);
}

interface Found {
  readonly startTime: string;
  readonly ended: boolean;
}

function lookUp(pid: number): Found | undefined {
  return bootId === undefined ? fromPs(pid) : fromProc(pid, bootId);
}

const bootId = readText('/proc/sys/kernel/random/boot_id')?.trim();

/** proc_pid_stat(5): the name is in parentheses and may hold anything; then the state, and the start time as field 22. */
function fromProc(pid: number, boot: string): Found | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {startTime: `${boot}:${fields[18]}`, ended: ended(state)};
}

/** For macOS and the BSDs. To the second only, which is enough to tell two processes with one pid apart. */
export function fromPs(pid: number): Found | undefined {
  try {
    const options = {encoding: 'utf8', env: {PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC'}, stdio: 'pipe'} as const;
    const [state = '', ...started] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], options)
      .trim()
      .split(/\s+/);
    return {startTime: started.join(' '), ended: ended(state)};
  } catch {
    // There is no such process, and ps says so with its exit code.
    return undefined;
  }
}

function ended(state: string): boolean {
  return /^[ZX]/i.test(state);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
