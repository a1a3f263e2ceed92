/** The release, in all its ways: the wizard, `--yes`, `plan` and `--dry-run`; and going on with one. */
import type {ApprovalFile} from '../release/approval.ts';
import {UsageError, exitCodes} from '../release/errors.ts';
import type {Choice, FormAnswers, Survey} from '../release/form.ts';
import type {Allowance} from '../release/policy.ts';
import {type Bump, parseVersion} from '../release/version.ts';
import type {LoadedConfig} from '../config/load.ts';
import {type Application, openApplication, openConfig} from './application.ts';
import type {ApprovalOptions, ReadApproval} from './approval-file.ts';
import type {Context} from './context.ts';
import {type ViewOptions, chooseFrontend} from './frontends.ts';
import {createSurvey, currentVersion, versionFromBump} from './survey.ts';
import {orRather} from '../config/nearest.ts';
import {placeOf} from './places.ts';
import {allowancesOf, policyOf} from './policy.ts';
import type {RunOptions} from './work.ts';

export interface ReleaseOptions extends RunOptions, ApprovalOptions {
  readonly env?: string;
  readonly release?: string;
  readonly bump?: Bump;
  readonly component?: readonly string[];
  /** Components that the config file names together. */
  readonly preset?: string;
  readonly tui: boolean;
}

/** Carries out one release, from the form to the summary. Returns the exit code. */
export async function releaseCommand(context: Context, options: ReleaseOptions): Promise<number> {
  const open = () => openApplication(context, options.config);
  if (options.yes || options.dryRun) return releaseOf(context, await open(), options);
  // The first question has to be there at once: a file that was checked before will do for it, and for nothing behind it.
  let opened: ReturnType<typeof open> | undefined;
  return releaseFrom(context, await openConfig(context, options.config, 'remembered'), () => (opened ??= open()), options);
}

/** The same of an application that is open already: its records may be kept by somebody else. */
export function releaseOf(context: Context, application: Application, options: ReleaseOptions): Promise<number> {
  return releaseFrom(context, application.loaded, () => Promise.resolve(application), options);
}

async function releaseFrom(
  context: Context,
  loaded: LoadedConfig,
  open: () => Promise<Application>,
  options: ReleaseOptions,
): Promise<number> {
  const approval = await approvalFor(context, options);
  const allowances = [...allowancesOf(loaded, options.allow), ...(approval?.allowances ?? [])];
  const view: ViewOptions = {
    output: options.output,
    tui: options.tui,
    yes: options.yes,
    dryRun: options.dryRun,
    config: loaded.path,
    approved: approval?.approved,
  };
  const policy = (environment: string | undefined): readonly Allowance[] => [...allowances, ...policyOf(loaded, environment)];
  let choice: Choice | undefined;
  const frontend = await chooseFrontend(context, view, () => policy(choice?.environment));
  try {
    const survey = createSurvey(context, loaded, open, allowances);
    const flags = await answersFromFlags(loaded, open, withApproved(options, approval?.file), survey);
    choice = await frontend.choose(flags, survey);
    if (choice === undefined) {
      await frontend.close();
      context.stderr.write('Nothing was started.\n');
      return exitCodes.interrupted;
    }
    // What it takes to change anything is loaded once something was chosen.
    const {carryOutChoice} = await import('./chosen.ts');
    return await carryOutChoice(context, await open(), frontend, {choice, allowances, options, approval});
  } finally {
    await frontend.close();
  }
}

/** Throws a UsageError where an approval could not be used, or a plan not be kept. */
async function approvalFor(context: Context, options: ReleaseOptions): Promise<ReadApproval | undefined> {
  const {approve, approveDigest, out, yes, dryRun} = options;
  if (out !== undefined && !dryRun) throw new UsageError('--out keeps a plan: use it with `deploy-wizard plan`');
  if ((approve !== undefined || approveDigest !== undefined) && (dryRun || !yes))
    throw new UsageError('--approve stands for a person’s yes: use it with --yes, and not with a plan');
  if (approve === undefined && approveDigest === undefined) return undefined;
  return (await import('./approval-file.ts')).readApproval(context, options);
}

/** What was approved need not be said again. */
function withApproved(options: ReleaseOptions, file: ApprovalFile | undefined): ReleaseOptions {
  if (file === undefined) return options;
  const {env = file.environment, release, bump} = options;
  const component =
    options.component ?? (options.preset === undefined ? file.components.map(({component}) => component) : undefined);
  return {
    ...options,
    env,
    ...(release === undefined && bump === undefined && {release: file.version}),
    ...(component && {component}),
  };
}

/** The flags as answers of the form, checked: an unknown name is refused before anything is looked at. */
async function answersFromFlags(
  loaded: LoadedConfig,
  open: () => Promise<Application>,
  options: ReleaseOptions,
  survey: Survey,
): Promise<FormAnswers> {
  const {env: environment, component, release: version, bump, yes, dryRun} = options;
  const unattended = yes || dryRun;
  if (environment !== undefined) placeOf(loaded, environment, {});
  if (version !== undefined && bump !== undefined) throw new UsageError('--release and --bump: give one of the two');
  const known = Object.keys(loaded.config.components);
  const unknown = component?.find(id => !known.includes(id));
  if (unknown !== undefined)
    throw new UsageError(`--component ${unknown}: there is no such component`, {
      code: 'DW206',
      next: orRather(unknown, known, ''),
    });
  const components = fromPreset(loaded.config.presets, options) ?? component ?? (unattended ? known : undefined);
  if (bump !== undefined && environment === undefined)
    throw new UsageError('--bump counts from what is deployed: give --env too');
  const target =
    version !== undefined
      ? parseVersion(version, '--release')
      : bump !== undefined && environment !== undefined
        ? await bumped(await open(), environment, bump, survey)
        : undefined;
  return {
    ...(environment !== undefined && {environment}),
    ...(target !== undefined && {version: target}),
    ...(components !== undefined && {components}),
  };
}

/** The components of `--preset`, with those of `--component`. */
function fromPreset(
  presets: Readonly<Record<string, readonly string[]>>,
  {preset, component = []}: ReleaseOptions,
): readonly string[] | undefined {
  if (preset === undefined) return undefined;
  const chosen = Object.hasOwn(presets, preset) ? presets[preset] : undefined;
  if (chosen !== undefined) return [...new Set([...chosen, ...component])];
  const names = Object.keys(presets);
  throw new UsageError(`--preset ${preset}: there is no such preset`, {
    next: [
      names.length === 0 ? 'The config file has none: `presets: {<name>: [<component>, …]}`.' : `There are: ${names.join(', ')}`,
    ],
  });
}

/** Counted from what is deployed, which a release that never came to its end does not tell. */
async function bumped(application: Application, environment: string, bump: Bump, survey: Survey): Promise<string> {
  const {lastRelease} = await import('../record/last-release.ts');
  const last = await lastRelease(application.store, environment);
  const cards = await survey.look(environment, new AbortController().signal);
  if (last !== undefined && !arrived.has(last.outcome) && (currentVersion(cards) ?? last.version) === last.version) {
    throw new UsageError(
      `--bump ${bump}: the last release to ${environment}, ${last.version}, did not come to its end (${last.outcome})`,
      {
        code: 'DW210',
        means: 'Nothing was started. What is deployed there is in between.',
        next: [`Release it again: --release ${last.version}`, `Or name another version: --release <version>`],
      },
    );
  }
  return versionFromBump(bump, cards);
}

/** Outcomes after which the environment is on the version. */
const arrived: ReadonlySet<string> = new Set(['passed', 'passed with waivers', 'triggered, not proven']);
