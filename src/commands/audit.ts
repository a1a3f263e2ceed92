/** The checklist of a release: every claim of its record against the world now. Read-only. */
import {look} from '../release/checks.ts';
import {UsageError, exitCodes} from '../release/errors.ts';
import {type History, replay, resultsOf} from '../release/history.ts';
import type {AnyComponentPlan, Check, Outcome} from '../release/model.ts';
import {createStop} from '../release/contract.ts';
import {isChange} from '../release/policy.ts';
import {createJobLogs} from '../record/logs.ts';
import {findRun} from '../record/last-release.ts';
import {rm} from 'node:fs/promises';
import {auditLines} from '../views/audit.ts';
import {asRecorded, bindComponents, openApplication, redactionFor} from './application.ts';
import type {Context} from './context.ts';
import {createWorld, placeOf, temporaryFolder} from './world.ts';

export interface AuditOptions {
  readonly config?: string;
  readonly env?: string;
}

/** Releases that say of themselves that they are there. */
const there: ReadonlySet<Outcome> = new Set(['passed', 'passed with waivers', 'triggered, not proven', 'nothing to do']);

export async function auditCommand(context: Context, version: string | undefined, options: AuditOptions): Promise<number> {
  const application = await openApplication(context, options.config);
  if (options.env === undefined) throw new UsageError('--env is missing: which environment?', {means: 'Nothing was looked at.'});
  const {env: environment} = options;
  placeOf(application.loaded, environment, {});

  const ofVersion = ({started}: History) => version === undefined || started?.version === version;
  const found =
    (await findRun(
      application.store,
      environment,
      history => ofVersion(history) && there.has(history.finished?.outcome ?? 'unknown'),
    )) ?? (await findRun(application.store, environment, history => ofVersion(history) && history.plan !== undefined));
  if (found === undefined) {
    const what = version === undefined ? `no release to ${environment}` : `no release of ${version} to ${environment}`;
    context.stdout.write(`${auditLines(context.env, [{title: 'record', checks: [absent(what)]}]).join('\n')}\n`);
    return exitCodes.auditFailed;
  }

  const record = await application.store.read(environment, found.run);
  const history = replay(record.events);
  const groups = [
    {title: `record ${found.run}`, checks: recordChecks(record, history)},
    ...(await componentChecks(context, history, environment)),
  ];
  const {started} = history;
  context.stdout.write(
    `${started?.application} ${started?.version} → ${environment}, audited ${new Date(context.clock.now()).toISOString()}\n`,
  );
  context.stdout.write(`${auditLines(context.env, groups).join('\n')}\n`);
  const failed = groups.flatMap(({checks}) => checks).filter(({status}) => status === 'failed' || status === 'pending');
  context.stdout.write(
    `\n${failed.length === 0 ? 'Everything is as the record says.' : `${failed.length} ${failed.length === 1 ? 'check' : 'checks'} failed.`}   head ${record.head.hash.slice(0, 16)}\n`,
  );
  return failed.length === 0 ? exitCodes.done : exitCodes.auditFailed;
}

function absent(what: string): Check {
  return {
    claim: 'record',
    text: 'there is a record',
    status: 'failed',
    found: `${what} is recorded`,
    next: 'Records are found through `store:` of the config file.',
  };
}

function recordChecks(
  record: {readonly problems: readonly string[]; readonly events: readonly unknown[]},
  history: History,
): readonly Check[] {
  const {started, finished, approved, plan} = history;
  const intact: Check = {
    claim: 'chain',
    text: 'the record is intact',
    status: record.problems.length === 0 ? 'passed' : 'failed',
    found:
      record.problems.length === 0 ? `${record.events.length} lines, each chained to the one before` : record.problems.join('; '),
  };
  const needsApproval = plan !== undefined && isChange(plan);
  const approval: Check = {
    claim: 'approval',
    text: 'the plan that was applied was approved',
    status: approved || !needsApproval ? 'passed' : 'failed',
    found: approved
      ? `by ${approved.approval.by} (${started?.by.user ?? ''}@${started?.by.host ?? ''})`
      : needsApproval
        ? 'no approval is recorded'
        : 'nothing had to change',
  };
  const ended: Check = {
    claim: 'outcome',
    text: 'the release ended well',
    status: finished && there.has(finished.outcome) ? 'passed' : 'failed',
    found: finished ? `${finished.outcome}: ${finished.text}` : 'it never ended',
    ...(!finished && {next: 'deploy-wizard resume'}),
  };
  return [intact, approval, ended];
}

interface Group {
  readonly title: string;
  readonly checks: readonly Check[];
}

async function componentChecks(context: Context, history: History, environment: string): Promise<readonly Group[]> {
  const {started, plan} = history;
  if (started === undefined || plan === undefined) return [];
  const loaded = asRecorded(started);
  const components = bindComponents(loaded, context, {
    environment,
    version: started.version,
    components: started.components.map(({id}) => id),
  });
  const redaction = redactionFor(loaded, started.run);
  const scratch = temporaryFolder(context.env);
  const world = createWorld(context, {
    loaded,
    environment,
    version: started.version,
    logs: createJobLogs(undefined, redaction),
    redaction,
    scratch,
    lastDuration: undefined,
    readOnly: true,
    unproven: new Set(),
    attended: false,
    allowed: () => false,
    onProgress: () => undefined,
  });
  const stop = createStop();
  const quiet = context.onSignal(signal => stop.request({do: 'stop', by: signal === 'SIGINT' ? signal : 'SIGTERM'}));
  const group = async (part: AnyComponentPlan): Promise<Group> => {
    const component = components.find(({id}) => id === part.component);
    if (component === undefined) return {title: part.component, checks: []};
    const io = world.ioFor({component: part.component, phase: 'verify'}, stop);
    const claims = component.claims(part, resultsOf(history.done, part.component));
    return {
      title: `${part.component}   ${part.kind}`,
      checks: redaction.deep(await Promise.all(claims.map(claim => look(component, claim, io)))),
    };
  };
  try {
    return await Promise.all(plan.components.map(group));
  } finally {
    quiet();
    await rm(scratch, {recursive: true, force: true});
  }
}
