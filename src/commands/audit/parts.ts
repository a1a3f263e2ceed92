/**
 * A version comes to an environment in several runs: some of its components first, what had failed later. The audited run says
 * nothing of the components that it did not have; each of those is audited by the run that it came with. Pure.
 */
import {there} from '../../release/outcome.ts';
import {type RecordedRun, type Trace, tracesOf} from '../../release/standing.ts';
import type {AuditedRun} from './find.ts';

/** Another run of the version. */
export interface Part {
  /** Only with the components that it is the one to ask about. */
  readonly audited: AuditedRun;
  /** Runs that came after it, newest first. */
  readonly newer: readonly RecordedRun[];
  /** Components that it tried to bring there, and that no run has. */
  readonly fallen: readonly Trace[];
}

/** `runs`: whatever is intact, newest first, from the newest of all to the oldest of this version. */
export function partsOf(audited: AuditedRun, runs: readonly AuditedRun[]): readonly Part[] {
  const version = audited.history.started?.version;
  const covered = new Set(audited.history.started?.components.map(({id}) => id));
  const others = runs.flatMap((run, index) => {
    const isOther = run.run !== audited.run && run.history.started?.version === version;
    return isOther ? [{run, newer: runs.slice(0, index), traces: tracesOf(run)}] : [];
  });
  const claim = (traces: readonly Trace[], fits: (trace: Trace) => boolean): readonly Trace[] => {
    const found = traces.filter(trace => !covered.has(trace.component) && fits(trace));
    found.forEach(({component}) => covered.add(component));
    return found;
  };
  // Of a component that came there once and failed later, what came there is what can be looked at.
  const brought = new Map(others.map(({run, traces}) => [run, claim(traces, ({end}) => there.has(end))]));
  return others.flatMap(({run, newer, traces}) => {
    const here = brought.get(run) ?? [];
    const fallen = claim(traces, ({end}) => !there.has(end) && end !== 'rolled back');
    return here.length + fallen.length === 0 ? [] : [{audited: narrowed(run, here), newer, fallen}];
  });
}

function narrowed(run: AuditedRun, traces: readonly Trace[]): AuditedRun {
  const {started} = run.history;
  if (started === undefined) return run;
  const components = started.components.filter(({id}) => traces.some(({component}) => component === id));
  return {...run, history: {...run.history, started: {...started, components}}};
}
