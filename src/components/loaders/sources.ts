/** One way to read whatever starts a definition. */
import {readRule} from './rule.ts';
import {readSchedule} from './schedule.ts';
import {readStateMachine} from './state-machine.ts';
import type {Wanted} from './reference.ts';
import type {Io, Reading, Source} from './target.ts';

/** The source as it is now; undefined when there is none. */
export function readSource(source: Source, wanted: Wanted, io: Io): Promise<Reading | undefined> {
  switch (source.is) {
    case 'rule':
      return readRule(source, wanted, io);
    case 'schedule':
      return readSchedule(source, wanted, io);
    case 'stateMachine':
      return readStateMachine(source.machine, wanted, io);
  }
}
