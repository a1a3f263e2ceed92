/** A whole PASS release in this process, which can be thrown away at any moment and gone on with: what both crash harnesses do. */
import {auditCommand} from '../../src/commands/audit.ts';
import {releaseOf} from '../../src/commands/release.ts';
import {resumeOf} from '../../src/commands/resume.ts';
import {exitCodes} from '../../src/release/errors.ts';
import type {Scenario} from '../../src/emulator/scenarios.ts';
import {unattended} from '../commands/support/desk.ts';
import {type Crash, type Gone, machine} from './mortal.ts';
import {type IdleTime, idleTime} from './mortal/time.ts';
import {type Finished, type Pass, ends, environment, released, startPass} from './pass.ts';
import {type RunRecord, eventsOf} from './program.ts';
import {type WholeStanding, seedWhole, wholeConfig, wholeStanding} from './whole-pass.ts';

export interface Crashing {
  readonly pass: Pass;
  readonly time: IdleTime;
  /** Starts the release. */
  release(options?: Going): Promise<Gone>;
  resume(options?: Going): Promise<Gone>;
  audit(): Promise<Gone>;
}

export interface Going {
  readonly crash?: Crash | undefined;
  /** One component at a time, if nothing is said: what comes after an intent is its call. */
  readonly maxParallel?: number;
  readonly allow?: readonly string[];
}

/** `scenario`: of all services and calls. Ten times as fast as AWS: what is slow there takes half a second here. */
export async function crashing(finished: Finished, scenario: Scenario = 'healthy'): Promise<Crashing> {
  const time = idleTime(Date.UTC(2026, 0, 15, 12));
  const pass = await startPass({now: time.now, speed: 10, scenario, config: wholeConfig()}, finished);
  seedWhole(pass);
  const {run} = machine(pass, {clockOf: time.clockOf, endpoint: {url: pass.url, time}}, finished);
  return {
    pass,
    time,
    release: ({crash, maxParallel = 1} = {}) =>
      run((context, application) => releaseOf(context, application, unattended({maxParallel})), crash),
    resume: ({crash, maxParallel = 1, allow = []} = {}) =>
      run(
        (context, application) =>
          resumeOf(context, application, undefined, {env: environment, yes: true, output: 'auto', tui: true, maxParallel, allow}),
        crash,
      ),
    audit: () => run(context => auditCommand(context, released, {env: environment})),
  };
}

/** How often a process may be started until one comes to the end of the release. */
const most = 30;

/**
 * Releases, and goes on until a process comes to an end of its own, each thrown away as `crashes` say. A message of which looking
 * cannot tell is looked for, as a person would: it is sent again only where the topic has none.
 */
export async function toTheEnd(crashed: Crashing, crashes: readonly Crash[], going: Omit<Going, 'crash'>): Promise<Gone> {
  const begun = await crashed.release({...going, crash: crashes[0]});
  if (begun.exitCode === 0) return begun;
  for (let process = 1; process < most; process++) {
    const gone = await crashed.resume({...going, crash: crashes[process]});
    if (gone.exitCode === undefined) continue;
    if (gone.exitCode !== exitCodes.unknown || crashed.pass.messages().length > 0) return gone;
    const again = await crashed.resume({...going, allow: ['republish']});
    if (again.exitCode !== undefined) return again;
  }
  throw new Error(`It did not come to an end in ${most} processes.`);
}

/** Everything that must be the same, wherever it was thrown away. */
export interface EndState {
  readonly standing: WholeStanding;
  readonly messages: readonly unknown[];
  readonly outcome: string | undefined;
  readonly ends: Readonly<Record<string, string>>;
  /** What was claimed and is proved. */
  readonly proved: readonly string[];
}

export async function endState({pass}: Crashing): Promise<EndState> {
  const record = await pass.record();
  return {
    standing: await wholeStanding(pass),
    messages: pass.messages(),
    outcome: eventsOf(record, 'run.finished').at(-1)?.outcome,
    ends: ends(record),
    proved: proved(record),
  };
}

function proved(record: RunRecord): readonly string[] {
  const last = new Map(
    eventsOf(record, 'check')
      .filter(({job}) => job.phase === 'verify')
      .map(({check}) => [check.claim, check.status]),
  );
  return [...last].flatMap(([claim, status]) => (status === 'passed' ? [claim] : [])).sort();
}
