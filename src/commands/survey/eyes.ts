/** The survey's eyes: all that it takes to look at records and environments, loaded when somebody first looks. */
import {checkShared, sessionClaim} from '../../components/aws/requirements.ts';
import type {Io} from '../../components/io.ts';
import {passed} from '../../components/verdict.ts';
import {look} from '../../release/checks.ts';
import {type Component, createStop} from '../../release/contract.ts';
import {toTrouble} from '../../release/errors.ts';
import type {ComponentCard, EnvironmentCard, KnownVersion} from '../../release/form.ts';
import {wholeRelease} from '../../release/words.ts';
import type {Allowance} from '../../release/policy.ts';
import {createJobLogs} from '../../record/logs.ts';
import {createRedaction} from '../../record/redact.ts';
import type {Application} from '../application.ts';
import {bindComponents} from '../binding.ts';
import {allows} from '../policy.ts';
import type {Context} from '../context.ts';
import {unfinishedChange} from '../in-between.ts';
import {temporaryFolder} from '../scratch.ts';
import {noVersion} from '../survey.ts';
import {createWorld} from '../world.ts';
import {recall} from './recall.ts';
import {findVersions} from './versions.ts';

export interface Eyes {
  recall(environment: string): ReturnType<typeof recall>;
  reach(environment: string, signal: AbortSignal): Promise<Pick<EnvironmentCard, 'identity' | 'unreachable'>>;
  look(environment: string, signal: AbortSignal, found: (card: ComponentCard) => void): Promise<readonly ComponentCard[]>;
  versions(environment: string, signal: AbortSignal, found: (versions: readonly KnownVersion[]) => void): Promise<void>;
}

export function openEyes(context: Context, application: Application, allowances: readonly Allowance[]): Eyes {
  const {loaded} = application;
  /** Who looks as which component sees what the records say of that one. */
  const eyesFor = (environment: string, signal: AbortSignal): ((component: string) => Io) => {
    const redaction = createRedaction();
    const world = createWorld(context, {
      loaded,
      environment,
      version: noVersion,
      logs: createJobLogs(undefined, redaction),
      redaction,
      scratch: temporaryFolder(context.env),
      lastDuration: undefined,
      unfinished: component => unfinishedChange(application.store, environment, component),
      readOnly: true,
      unproven: new Set(),
      attended: false,
      allowed: allows(allowances),
      onProgress: () => undefined,
    });
    return component => world.ioFor({component, phase: 'preflight'}, {...createStop(), signal});
  };
  return {
    recall: environment => recall(application, context, environment),
    reach: async (environment, signal) => {
      const claim = sessionClaim(false);
      const looker = {check: async (_: typeof claim, io: Io) => (await checkShared(claim, io)) ?? passed(claim, '')};
      const {status, found, next} = await look(looker, claim, eyesFor(environment, signal)(wholeRelease));
      if (status === 'failed') return {unreachable: {what: found, ...(next !== undefined && {next: [next]})}};
      return status === 'passed' ? {identity: found} : {};
    },
    look: (environment, signal, found) => {
      const ioOf = eyesFor(environment, signal);
      const components = Object.keys(loaded.config.components);
      const seen = bindComponents(loaded, context, {environment, version: noVersion, components}).map(async component => {
        const made = await card(component, ioOf(component.id));
        found(made);
        return made;
      });
      return Promise.all(seen);
    },
    versions: (environment, signal, found) =>
      findVersions(application, environment, eyesFor(environment, signal)(wholeRelease), context.env, found),
  };
}

async function card(component: Component<Io>, io: Io): Promise<ComponentCard> {
  const {id, kind, needs} = component;
  try {
    const observed = await component.observe(io);
    return {
      id,
      kind,
      needs,
      ...(observed?.version && {version: observed.version}),
      ...(observed?.before && {isBetween: true}),
      ...(observed?.source && {source: observed.source}),
      ...(observed?.sourceNote && {sourceNote: observed.sourceNote}),
    };
  } catch (error) {
    const {what, next} = toTrouble(error);
    return {id, kind, needs, problem: {what, ...(next && {next})}};
  }
}
