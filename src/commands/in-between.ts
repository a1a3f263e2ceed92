/** Changes that the records saw begun and never saw to their end: what is there now may be neither the old nor the new. */
import type {UnfinishedChange} from '../components/io.ts';
import type {History} from '../release/history.ts';
import {findRun} from '../record/last-release.ts';
import type {Store} from '../record/store.ts';

/** The newest change of a component in an environment, if it did not come to its end; undefined where it did, or there was none. */
export async function unfinishedChange(
  store: Store,
  environment: string,
  component: string,
): Promise<UnfinishedChange | undefined> {
  // Who adopts an environment says what is there.
  const isAttested = ({started, observed}: History) => started?.kind === 'adopt' && observed.has(component);
  const found = await findRun(store, environment, history => begunSteps(history, component).length > 0 || isAttested(history));
  if (found === undefined) return undefined;
  const {history} = found;
  const back = history.back.get(component);
  const plan = back ?? history.plan?.components.find(part => part.component === component);
  if (plan === undefined || !isOpen(history, component)) return undefined;
  const before = history.plan?.back?.find(way => way.component === component);
  return {
    version: plan.to,
    payload: plan.payload,
    ...(before && {before: {version: before.version, state: before.state}}),
  };
}

interface Begun {
  readonly step: string;
  readonly isDone: boolean;
}

/** What was begun of a component's change in its environment. */
function begunSteps({done, open, failed}: History, component: string): readonly Begun[] {
  const all = [
    ...[...done.values()].map(({job, step}) => ({job, step, isDone: true})),
    ...[...open.values(), ...failed.values()].map(({job, step}) => ({job, step, isDone: false})),
  ];
  return all.filter(({job}) => job.phase === 'apply' && job.component === component);
}

/** Whether some step of it has no good end. Once a way back was begun, that is what decides. */
function isOpen(history: History, component: string): boolean {
  const isBack = ({step}: Begun) => step.startsWith('back.');
  const wentBack = history.back.has(component);
  return begunSteps(history, component).some(step => isBack(step) === wentBack && !step.isDone);
}
