/**
 * Looks that end when somebody asks to stop. Calls that only look wait their turn behind those of sixty other components, and whoever
 * has asked to stop does not wait with them: what is on its way changes nothing.
 */
import type {ComponentConfig, ComponentKind} from '../../release/contract.ts';
import {StoppedError} from '../../release/errors.ts';
import type {Io} from '../io.ts';

/**
 * The same kind, of which a stop ends every look but one: what is there now is noted for those who come later.
 */
export function stoppable<C extends ComponentConfig, S, P>(kind: ComponentKind<C, S, P, Io>): ComponentKind<C, S, P, Io> {
  return {
    ...kind,
    prepare: (component, target, io) => untilStopped(io, () => kind.prepare(component, target, io)),
    plan: (component, target, io, prepared) => untilStopped(io, () => kind.plan(component, target, io, prepared)),
    recheck: (component, plan, io) => untilStopped(io, () => kind.recheck(component, plan, io)),
    check: (component, claim, io) => untilStopped(io, () => kind.check(component, claim, io)),
    steps: (component, plan) =>
      kind.steps(component, plan).map(step => ({
        ...step,
        request: (io, results) => untilStopped(io, () => step.request(io, results)),
      })),
  };
}

async function untilStopped<T>({signal}: Pick<Io, 'signal'>, look: () => Promise<T>): Promise<T> {
  const {promise: stopped, reject} = Promise.withResolvers<never>();
  const stop = () => reject(new StoppedError('stopped on request'));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, {once: true});
  try {
    return await (signal.aborted ? stopped : Promise.race([look(), stopped]));
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
