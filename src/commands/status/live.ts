/** What is in an environment now, for `status --live`. */
import type {Io} from '../../components/io.ts';
import type {Component} from '../../release/contract.ts';
import {toTrouble} from '../../release/errors.ts';
import {repositoryOf} from '../../release/standing.ts';
import type {StatusCell} from '../../views/status.ts';
import type {Application} from '../application.ts';
import {redactionFor} from '../recorded.ts';
import {bindComponents} from '../binding.ts';
import type {Context} from '../context.ts';
import {looking} from '../looking.ts';
import {noVersion} from '../survey.ts';

/** A component as it is in the world. */
export interface Live {
  readonly shown: Omit<NonNullable<StatusCell['live']>, 'drift'>;
  /** Its fingerprint is what tells one state from another. */
  readonly state: unknown;
}

/** What is there. An environment that cannot be reached has one problem, not one for each component. */
export async function lookAt(
  context: Context,
  {loaded, store}: Application,
  environment: string,
): Promise<{readonly components: ReadonlyMap<string, Live>; readonly problem?: string}> {
  try {
    const components = bindComponents(loaded, context, {
      environment,
      version: noVersion,
      components: Object.keys(loaded.config.components),
    });
    const redaction = redactionFor(loaded, environment);
    return await looking(context, {loaded, environment, version: noVersion, redaction, store}, async (world, stop) => {
      const all = components.map(
        async component =>
          [
            component.id,
            redaction.deep(await observe(component, world.ioFor({component: component.id, phase: 'plan'}, stop))),
          ] as const,
      );
      const seen = await Promise.all(all);
      const [problem, ...others] = new Set(seen.map(([, {shown}]) => shown.problem));
      const same = problem !== undefined && others.length === 0;
      return same ? {components: new Map(), problem: `it cannot be looked at: ${problem}`} : {components: new Map(seen)};
    });
  } catch (error) {
    return {components: new Map(), problem: `it cannot be looked at: ${toTrouble(error).what}`};
  }
}

async function observe(component: Component<Io>, io: Io): Promise<Live> {
  try {
    const observed = await component.observe(io);
    const digests = Object.entries(observed?.digests ?? {}).map(([image, digest]) => [repositoryOf(image), digest] as const);
    return {
      shown: {
        ...(observed?.version !== undefined && {version: observed.version}),
        ...(digests.length > 0 && {digests: Object.fromEntries(digests)}),
      },
      state: observed?.state,
    };
  } catch (error) {
    return {shown: {problem: toTrouble(error).what}, state: undefined};
  }
}
