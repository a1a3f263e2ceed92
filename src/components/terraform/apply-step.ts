/** `terraform apply` of the saved plan: under a supervisor, measured, interrupted on purpose only, and found again by whoever comes later. */
import {access, readFile, writeFile} from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import {type Named, type Results, type Settled, type Step, step} from '../../release/contract.ts';
import {DeployError, LostAnswerError, StoppedError, toTrouble} from '../../release/errors.ts';
import {sha256} from '../../release/hash.ts';
import {
  type ApplyProgress,
  concludeApply,
  countOperations,
  ifInterrupted,
  nothingRead,
  readOn,
} from '../../tools/terraform/apply.ts';
import {StateLockedError} from '../../tools/terraform/diagnosis.ts';
import {follow, inspectSupervised, interruptAgain, interruptOnce, startSupervised} from '../../tools/terraform/runner.ts';
import {readMessage} from '../../tools/terraform/stream.ts';
import type {RootModule} from '../../tools/terraform/terraform.ts';
import type {Io} from '../io.ts';
import {collectSecrets} from './changes.ts';
import type {TerraformConfig, TerraformPayload} from './config.ts';
import {learnVariables} from './variable-files.ts';
import {terraformOf} from './module.ts';
import {settingsInWords} from './set-values.ts';
import {leftToDo} from './settled.ts';
import {committed, steps as prepared} from './source.ts';

/** What a person types to send a second interrupt: it names what stays behind. */
const secondInterruptWord = 'the state stays locked';

/** What a second interrupt costs: what stays locked, and how to unlock it. */
function secondInterruptCosts({directory, workspace}: RootModule): string {
  return [
    'Terraform exits at once: what it is making just then may be half done and missing from the state,',
    `and the state of ${path.basename(directory)} (workspace ${workspace ?? 'default'}) stays locked for everybody.`,
    'To unlock it: `terraform plan` there says the id of the lock, `terraform force-unlock <id>` gives it back.',
  ].join(' ');
}

const applyRequest = z.object({
  folder: z.string(),
  directory: z.string(),
  workspace: z.string(),
  planFile: z.string(),
  planSha256: z.string(),
  applyVarFile: z.string().nullable(),
  varFile: z.string(),
  addresses: z.array(z.string()),
  /** Of the bump; null where none was made. */
  bumped: z.string().nullable().default(null),
});
type ApplyRequest = z.infer<typeof applyRequest>;

const applied = z.object({add: z.number(), change: z.number(), remove: z.number()});
type Applied = z.infer<typeof applied>;

export function terraformStep(component: Named<TerraformConfig>, payload: TerraformPayload): Step<Io> {
  const {directory, workspace, planFile, planSha256, applyVarFile, varFile, addresses} = payload;
  return step({
    id: 'terraform-apply',
    phase: 'apply',
    title: 'terraform apply of the saved plan',
    requestSchema: applyRequest,
    resultSchema: applied.extend({looked: z.boolean().default(false)}),
    request: async (_io: Io, results) => ({
      folder: await folderFor(`${planFile}-${planSha256.slice(0, 12)}`),
      directory,
      workspace,
      planFile,
      planSha256,
      applyVarFile,
      varFile,
      addresses,
      bumped: bumpOf(results),
    }),
    perform: async (io, request) => {
      const {folder, planFile, planSha256, applyVarFile} = request;
      await refuseOther(planFile, planSha256);
      await learnSecrets(component, request, io);
      const module = {directory: request.directory, workspace: request.workspace};
      const seconds = component.lockTimeout / 1000;
      const command = terraformOf(component, io).applyCommand(module, planFile, seconds, applyVarFile ?? undefined);
      // The first probe comes before anything goes down.
      if (payload.verify) await io.meter.start({url: payload.verify.http, expect: payload.verify.expect ?? undefined});
      await startSupervised({...command, folder, node: io.supervisor.node, supervisor: io.supervisor.script});
      const end = await seeThrough(folder, payload, io);
      if (end instanceof DeployError) throw inWords(end, payload, request);
      return {...end, looked: false};
    },
    settle: async (io, request) => {
      const {is} = await inspectSupervised(request.folder);
      if (is === 'absent') return 'absent';
      await learnSecrets(component, request, io);
      const end = await seeThrough(request.folder, payload, io);
      if (end instanceof LostAnswerError) return lookAfter(component, payload, request, end, io);
      return end instanceof DeployError ? {failed: inWords(end, payload, request)} : {done: {...end, looked: false}};
    },
    tell: ({add, change, remove, looked}) =>
      looked
        ? 'nobody saw the apply end; a new plan shows nothing left to do'
        : `applied: ${add} added, ${change} changed, ${remove} destroyed`,
    byHand: ({place}) => {
      const typed = (...args: readonly string[]) => [
        'env',
        ...(place.region === undefined ? [] : [`AWS_REGION=${place.region}`]),
        ...(place.profile === undefined ? [] : [`AWS_PROFILE=${place.profile}`]),
        `TF_WORKSPACE=${workspace}`,
        'terraform',
        `-chdir=${directory}`,
        ...args,
      ];
      return {
        note: [
          'the first applies the plan that was approved. Terraform takes it once, and it is deleted when this release ends:',
          'from then on, the second makes another, which is to be read and applied in the same way',
        ].join(' '),
        commands: [
          typed('apply', ...(applyVarFile === null ? [] : [`-var-file=${applyVarFile}`]), planFile),
          typed('plan', `-var-file=${varFile}`, '-out=<new plan file>'),
        ],
      };
    },
  });
}

/**
 * One folder a plan: a saved plan is applied once, whoever tries again. But where an apply only waited in vain for the lock, nothing was
 * begun, and the same plan may wait once more.
 */
async function folderFor(name: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const folder = attempt === 1 ? name : `${name}-${attempt}`;
    if (!(await exists(path.join(folder, lockedNote)))) return folder;
  }
}

/** In the folder of an apply that never began, because somebody held the lock. */
const lockedNote = 'locked';

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

/** It may have been another process that planned: nothing that Terraform says is written before its secrets are known. */
async function learnSecrets(component: TerraformConfig, {directory, workspace, planFile}: ApplyRequest, io: Io): Promise<void> {
  await learnVariables(component, io);
  const plan = await terraformOf(component, io).show({directory, workspace}, planFile);
  for (const secret of collectSecrets(plan)) io.learnSecret(secret);
}

async function refuseOther(planFile: string, expected: string): Promise<void> {
  const bytes = await readFile(planFile).catch(() => undefined);
  if (bytes === undefined || sha256(bytes) !== expected) {
    throw new DeployError(bytes === undefined ? 'the saved plan is gone' : 'the saved plan is not the one that was approved', {
      means: 'Terraform was not started.',
      next: ['Run the release again: it plans anew.'],
      final: true,
    });
  }
}

/**
 * Reads along until Terraform has ended. Asked to stop, it interrupts Terraform once, on purpose, and waits for it to save its state; a
 * second time only when a person has typed what that costs; asked to detach, it leaves Terraform alone. Resolves with what came of it.
 */
async function seeThrough(folder: string, module: RootModule, io: Io): Promise<Applied | DeployError> {
  let progress: ApplyProgress = nothingRead;
  // Terraform decides when it ends; only a detaching operator stops reading.
  const reading = new AbortController();
  const send = (interrupt: (folder: string) => Promise<boolean>, sent: string) =>
    void interrupt(folder)
      .then(did => io.log(did ? sent : 'No interrupt was sent: Terraform has ended, or was sent this one before.'))
      .catch((error: unknown) => io.log(`Terraform could not be interrupted: ${toTrouble(error).what}`));
  const stop = () => {
    if (io.stopCommand()?.do === 'detach') reading.abort();
    else send(interruptOnce, 'Interrupted once: Terraform stops after what it is doing, and saves its state.');
  };
  const force = () => send(interruptAgain, 'Interrupted a second time: Terraform exits at once, and leaves the state locked.');
  const leave = () => reading.abort();
  const unlisten = [listen(io.signal, stop), listen(io.forced, force), listen(io.left, leave)];
  try {
    const end = await follow(folder, {
      onLine: (line, stream) => {
        const message = stream === 'stdout' ? readMessage(line) : ({type: 'text', text: line} as const);
        progress = readOn(progress, message);
        io.log(message.text);
        const stopping = {means: ifInterrupted(progress), force: secondInterruptWord, costs: secondInterruptCosts(module)};
        io.progress({text: message.text, ...countOperations(progress), unit: 'operations', stopping});
      },
      signal: reading.signal,
      sleep: io.clock.sleep,
    });
    const {error, summary} = concludeApply(progress, end);
    if (error instanceof StateLockedError) await writeFile(path.join(folder, lockedNote), '', {mode: 0o600});
    return error ?? summary ?? {add: 0, change: 0, remove: 0};
  } finally {
    unlisten.forEach(stop => stop());
  }
}

/** Calls back once the signal is aborted, also when it is already. Returns how to end that. */
function listen(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, {once: true});
  return () => signal.removeEventListener('abort', listener);
}

/** Terraform and whoever watched it are gone. Whether it came to its end, a new plan tells; what it was doing just then may be lost. */
async function lookAfter(
  component: Named<TerraformConfig>,
  payload: TerraformPayload,
  request: ApplyRequest,
  lost: LostAnswerError,
  io: Io,
): Promise<Settled<Applied & {looked: boolean}>> {
  io.log('Nobody saw how the apply ended: a new plan tells what is left to do.');
  const {left} = await leftToDo(component, request, io);
  if (left.length === 0) return {done: {add: 0, change: 0, remove: 0, looked: true}};
  const what = `${lost.message} A new plan shows what is left to do: ${left.map(({summary}) => summary).join('; ')}`;
  return {failed: inWords(new DeployError(what, {...(lost.means && {means: lost.means}), next: lost.next}), payload, request)};
}

/** The edit came first: whoever reads the files has to know what they say. An interrupted apply has ended, and failed. */
function inWords(error: DeployError, payload: TerraformPayload, {bumped}: ApplyRequest): DeployError {
  const now = [filesNow(payload), ...repositoryNow(bumped)].join(' ');
  if (error instanceof StateLockedError) {
    // Nothing was begun: the same plan may wait once more, as long as nobody changes the state.
    return error.also(`${now} Trying again waits for the lock with the same plan.`);
  }
  const {message, means, next} = error;
  const ended = error instanceof StoppedError ? new DeployError(message, {...(means && {means}), next, final: true}) : error;
  return ended.asFinal().also(`${now} To go on, run the release again: it plans anew.`);
}

/** What the release has done to the repository before: its commit stays, and what is released again is built on it. */
function repositoryNow(bumped: string | null): readonly string[] {
  return bumped === null ? [] : [`The bump is committed as ${bumped.slice(0, 12)}, and is not pushed; it stays.`];
}

function bumpOf(results: Results): string | null {
  const {data} = committed.safeParse(results.get(prepared.commit));
  return data?.made === true ? data.commit : null;
}

/** What the tfvars file says at this moment. */
function filesNow({edit, varFile, back}: TerraformPayload): string {
  const name = path.basename(varFile);
  if (edit === null) return `${name} is as it was.`;
  return `The tfvars file holds the ${back ? 'old version again' : 'new version already'}. (${name}: ${settingsInWords(edit.set)}; not committed yet.)`;
}
