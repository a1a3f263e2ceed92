/** The release, in all its ways: the wizard, `--yes`, `plan` and `--dry-run`; and going on with one. */
import {UsageError, exitCodes} from '../release/errors.ts';
import type {Choice, FormAnswers, Survey} from '../release/form.ts';
import {noHistory} from '../release/history.ts';
import {type Allowance, parseAllowance} from '../release/policy.ts';
import {type Bump, parseVersion} from '../release/version.ts';
import {lastRelease} from '../record/last-release.ts';
import {createJobLogs} from '../record/logs.ts';
import {createRedaction} from '../record/redact.ts';
import {type Application, bindComponents, openApplication} from './application.ts';
import {type RunOptions, allows, carryOut} from './carry-out.ts';
import type {Context} from './context.ts';
import {type ViewOptions, chooseFrontend} from './frontends.ts';
import {lockForRelease, unprovenSteps, warnOfUnfinished} from './locking.ts';
import {createSurvey, currentVersion, noVersion, surveyJob, versionFromBump} from './survey.ts';
import {createWorld, placeOf, temporaryFolder} from './world.ts';

export interface ReleaseOptions extends RunOptions {
  readonly env?: string;
  readonly release?: string;
  readonly bump?: Bump;
  readonly component?: readonly string[];
  readonly tui: boolean;
}

/** Carries out one release, from the form to the summary. Returns the exit code. */
export async function releaseCommand(context: Context, options: ReleaseOptions): Promise<number> {
  const application = await openApplication(context, options.config);
  const allowances = options.allow.map(parseAllowance);
  const view: ViewOptions = {output: options.output, tui: options.tui, yes: options.yes, dryRun: options.dryRun};
  const policy = (environment: string | undefined): readonly Allowance[] => [
    ...allowances,
    ...(application.loaded.config.environments[environment ?? '']?.policy.allow ?? []).map(what => ({what})),
  ];
  let choice: Choice | undefined;
  const frontend = await chooseFrontend(context, view, () => policy(choice?.environment));
  try {
    const survey = await makeSurvey(context, application, allowances);
    const flags = await answersFromFlags(application, options, survey);
    choice = await frontend.choose(flags, survey);
    if (choice === undefined) {
      await frontend.close();
      context.stderr.write('Nothing was started.\n');
      return exitCodes.interrupted;
    }
    const {environment} = choice;
    const last = await lastRelease(application.store, environment);
    const unproven = await unprovenSteps(application, environment, choice.version);
    if (options.dryRun) await warnOfUnfinished(application, environment, text => frontend.notice(text));
    const unlock = options.dryRun
      ? async () => undefined
      : await lockForRelease(context, application, environment, choice.version);
    try {
      return await carryOut(context, application, frontend, {
        choice,
        allowances,
        options,
        last,
        history: noHistory,
        unproven,
        unlock,
      });
    } finally {
      await unlock();
    }
  } finally {
    await frontend.close();
  }
}

async function makeSurvey(context: Context, application: Application, allowances: readonly Allowance[]) {
  const {loaded, store} = application;
  const environments = Object.keys(loaded.config.environments);
  const last = await Promise.all(environments.map(async name => [name, await lastRelease(store, name)] as const));
  return createSurvey({
    application,
    last: new Map(last.flatMap(([name, release]) => (release === undefined ? [] : [[name, release] as const]))),
    components: environment =>
      bindComponents(loaded, context, {environment, version: noVersion, components: Object.keys(loaded.config.components)}),
    io: environment => {
      const redaction = createRedaction();
      const world = createWorld(context, {
        loaded,
        environment,
        version: noVersion,
        logs: createJobLogs(undefined, redaction),
        redaction,
        scratch: temporaryFolder(context.env),
        lastDuration: undefined,
        readOnly: true,
        unproven: new Set(),
        attended: false,
        allowed: allows(allowances),
        onProgress: () => undefined,
      });
      return stop => world.ioFor(surveyJob, stop);
    },
  });
}

/** The flags as answers of the form, checked: an unknown name is refused before anything is looked at. */
async function answersFromFlags(application: Application, options: ReleaseOptions, survey: Survey): Promise<FormAnswers> {
  const {loaded} = application;
  const {env: environment, component, release: version, bump, yes, dryRun} = options;
  const unattended = yes || dryRun;
  if (environment !== undefined) placeOf(loaded, environment, {});
  if (version !== undefined && bump !== undefined) throw new UsageError('--release and --bump: give one of the two');
  const known = Object.keys(loaded.config.components);
  const unknown = component?.find(id => !known.includes(id));
  if (unknown !== undefined)
    throw new UsageError(`--component ${unknown}: there is no such component`, {next: [`There are: ${known.join(', ')}`]});
  const components = component ?? (unattended ? known : undefined);
  if (bump !== undefined && environment === undefined)
    throw new UsageError('--bump counts from what is deployed: give --env too');
  const target =
    version !== undefined
      ? parseVersion(version, '--release')
      : bump !== undefined && environment !== undefined
        ? await bumped(application, environment, bump, survey)
        : undefined;
  return {
    ...(environment !== undefined && {environment}),
    ...(target !== undefined && {version: target}),
    ...(components !== undefined && {components}),
  };
}

/** Counted from what is deployed, which a release that never came to its end does not tell. */
async function bumped(application: Application, environment: string, bump: Bump, survey: Survey): Promise<string> {
  const last = await lastRelease(application.store, environment);
  const cards = await survey.look(environment, new AbortController().signal);
  if (last !== undefined && !arrived.has(last.outcome) && currentVersion(cards) === last.version) {
    throw new UsageError(
      `--bump ${bump}: the last release to ${environment}, ${last.version}, did not come to its end (${last.outcome})`,
      {
        means: 'Nothing was started. What is deployed there is in between.',
        next: [`Release it again: --release ${last.version}`, `Or name another version: --release <version>`],
      },
    );
  }
  return versionFromBump(bump, cards);
}

/** Outcomes after which the environment is on the version. */
const arrived: ReadonlySet<string> = new Set(['passed', 'passed with waivers', 'triggered, not proven']);
