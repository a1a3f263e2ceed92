/** Whether a release could begin: the config file, tools, records, and every environment; with what to do about what is wrong. */
import {type LoadedConfig, componentSettings} from '../config/load.ts';
import {config} from '../config/schema.ts';
import {DeployError, UsageError, exitCodes, inOneLine} from '../release/errors.ts';
import type {Check} from '../release/model.ts';
import {s3Place} from '../record/place.ts';
import {type DoctorReport, doctorLines} from '../views/doctor.ts';
import {jsonText} from '../views/ndjson.ts';
import {type Application, configFile, openApplication} from './application.ts';
import type {Context} from './context.ts';
import {environmentOf} from './environments.ts';
import {placeOf} from './places.ts';
import {noVersion} from './survey.ts';

export interface DoctorOptions {
  readonly config?: string;
  /** Only this one. */
  readonly env?: string;
  /** Prints the IAM policy of an environment instead. */
  readonly iam: boolean;
  readonly output: 'auto' | 'json';
}

/** Exit 0 where nothing failed, 1 otherwise. Changes nothing. */
export async function doctorCommand(context: Context, options: DoctorOptions): Promise<number> {
  if (options.iam) return printPolicy(context, options);
  const [{environmentChecks}, {storeCheck}, {toolChecks}] = await Promise.all([
    import('./doctor/environment.ts'),
    import('./doctor/store.ts'),
    import('./doctor/tools.ts'),
  ]);
  const {application, checks} = await lookAtConfig(context, options.config);
  const {env} = options;
  if (application && env !== undefined) placeOf(application.loaded, env, {});
  const names = application ? (env === undefined ? Object.keys(application.loaded.config.environments) : [env]) : [];
  const sections = [
    {name: 'config', checks},
    {name: 'tools', checks: await toolChecks(context, application?.loaded.config)},
    ...(application ? [{name: 'records', checks: [await storeCheck(application)]}] : []),
    ...(application
      ? await Promise.all(names.map(async name => ({name, checks: await environmentChecks(context, application, name)})))
      : []),
  ];
  const passed = sections.every(section => section.checks.every(({status}) => status !== 'failed'));
  const report: DoctorReport = {schema: 1, tool: context.tool, passed, sections};
  const text = options.output === 'json' ? jsonText(report) : doctorLines(context.env, report).join('\n');
  context.stdout.write(`${text}\n`);
  return passed ? exitCodes.done : exitCodes.failed;
}

/** The config file, with a check for every mistake in it. */
async function lookAtConfig(
  context: Context,
  option: string | undefined,
): Promise<{readonly application?: Application; readonly checks: readonly Check[]}> {
  const file = await configFile(context, option);
  const check = (text: string, more: Omit<Check, 'claim' | 'text'>): Check => ({claim: 'config', text, ...more});
  if (file === undefined) {
    const next = 'Write one with `deploy-wizard init`, or name one with --config <file>.';
    return {checks: [check('config file', {status: 'failed', found: `there is none in ${context.cwd} or above`, next})]};
  }
  try {
    const application = await openApplication(context, file);
    const {environments, components} = application.loaded.config;
    const count = Object.keys(components).length;
    const found = `${Object.keys(environments).join(', ')}; ${count} ${count === 1 ? 'component' : 'components'}`;
    return {application, checks: [check(file, {status: 'passed', found})]};
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    // One line a mistake, `file:line:column: what`.
    const next = inOneLine(error.next) || 'Correct it there. What may stand where: deploy-wizard schema';
    const checks = error.message.split('\n').map(line => {
      const [, at = file, found = line] = /^(.*?:\d+:\d+): (.*)$/.exec(line) ?? [];
      return check(at, {status: 'failed', found, next});
    });
    return {checks};
  }
}

async function printPolicy(context: Context, options: DoctorOptions): Promise<number> {
  const application = await openApplication(context, options.config);
  const {loaded} = application;
  const environment = environmentOf(application, options.env, 'Nothing was printed: every account has its own policy.');
  const {policyFor} = await import('./doctor/policy.ts');
  const policy = policyFor(placeOf(loaded, environment, context.env), boundSettings(context, loaded, environment), {
    registries: loaded.config.registries,
    store: s3Place(loaded.config.store ?? ''),
  });
  context.stdout.write(`${jsonText(policy)}\n`);
  const modules = Object.entries(loaded.config.components).flatMap(([id, {kind}]) => (kind === 'terraform' ? [id] : []));
  if (modules.length > 0)
    context.stderr.write(`What Terraform calls for ${modules.join(', ')} is not in it: its providers say what they need.\n`);
  return exitCodes.done;
}

/** The components' settings in an environment, references replaced. Throws a UsageError for one that cannot be. */
function boundSettings(context: Context, loaded: LoadedConfig, environment: string) {
  const {values = {}} = loaded.config.environments[environment] ?? {};
  const names = {version: noVersion, environment, values, env: context.env};
  const ids = Object.keys(loaded.config.components);
  const bound = config.shape.components.safeParse(Object.fromEntries(ids.map(id => [id, componentSettings(loaded, id, names)])));
  if (bound.success) return Object.values(bound.data);
  const [issue] = bound.error.issues;
  throw new UsageError(`${loaded.path}: components.${issue?.path.join('.')}, with its references replaced: ${issue?.message}`, {
    code: 'DW204',
  });
}
