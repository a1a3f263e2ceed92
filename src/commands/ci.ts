/** What the CI service is told when a run has ended: outputs of the step, and the summary of the job. Nothing elsewhere. */
import {toTrouble} from '../release/errors.ts';
import type {Finish} from '../release/outcome.ts';
import type {RunState} from '../release/reducer.ts';
import type {Head} from '../views/reports/markdown.ts';
import type {Application} from './application.ts';
import type {Context} from './context.ts';

export interface Ended {
  readonly environment: string;
  readonly version: string;
  /** Undefined for a plan: it leaves no record. */
  readonly run: string | undefined;
  /** Of its record. */
  readonly head: Head | undefined;
  readonly state: RunState;
  readonly finish: Finish;
  /** Of the file that `plan --out` wrote. */
  readonly approvalDigest: string | undefined;
}

export async function tellCi(context: Context, application: Application, ended: Ended): Promise<void> {
  const {onGitHub} = await import('../views/github.ts');
  if (!onGitHub(context.env)) return;
  const {addSummary, setOutputs} = await import('./github.ts');
  const {version, run, finish, approvalDigest} = ended;
  await setOutputs(context, {
    version,
    outcome: finish.outcome,
    ...(run !== undefined && {run}),
    ...(approvalDigest !== undefined && {'approval-digest': approvalDigest}),
  });
  await addSummary(context, await summaryOf(context, application, ended));
}

/** What the run came to; and, where it has changed anything and has time left, the audit of it. */
async function summaryOf(context: Context, application: Application, ended: Ended): Promise<string> {
  const {environment, version, run, head, state, finish} = ended;
  const {runMarkdown} = await import('../views/reports/run-markdown.ts');
  const told = runMarkdown(state, head);
  // A job that is cancelled has seconds.
  if (run === undefined || !finish.touched || finish.outcome === 'interrupted') return told;
  try {
    const {auditOf} = await import('./audit.ts');
    const {auditMarkdown} = await import('../views/reports/markdown.ts');
    return `${told}\n${auditMarkdown(await auditOf(context, application, environment, version))}`;
  } catch (error) {
    const {lineFor} = await import('../views/words.ts');
    context.stderr.write(`${lineFor(context.env)(`The summary of the job has no audit: ${toTrouble(error).what}`)}\n`);
    return told;
  }
}
