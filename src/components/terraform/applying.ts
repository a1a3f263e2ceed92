/** The steps of an approved Terraform plan: the tfvars file, the saved plan applied under a supervisor, the commit. */
import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import {type Results, type Step, step} from '../../release/contract.ts';
import {DeployError, LostAnswerError, StoppedError, toTrouble} from '../../release/errors.ts';
import {sha256} from '../../release/json.ts';
import {applyEdit, readText} from '../../tools/files.ts';
import {type ApplyProgress, concludeApply, countOperations, nothingRead, readOn} from '../../tools/terraform/apply.ts';
import {follow, inspectSupervised, interruptOnce, startSupervised} from '../../tools/terraform/runner.ts';
import type {RootModule} from '../../tools/terraform/terraform.ts';
import {readMessage} from '../../tools/terraform/stream.ts';
import type {Io} from '../io.ts';
import {editTfvars} from '../tfvars.ts';
import {collectSecrets} from './changes.ts';
import {type TerraformConfig, type TerraformPayload, type TfvarsEdit, tfvarsEdit} from './config.ts';
import {commitStep, committed, revisionLabel, steps as prepared} from './source.ts';

export function applySteps(component: TerraformConfig, payload: TerraformPayload, version: string): readonly Step<Io>[] {
  const {source} = component;
  return [
    ...(payload.edit ? [tfvarsStep(payload.edit)] : []),
    terraformStep(component, payload),
    ...(source?.git.commit
      ? [commitStep({id: 'commit-tfvars', phase: 'apply', file: () => payload.varFile, message: `Deploy ${version}`})]
      : []),
    ...(source?.git.tag === undefined ? [] : [tagStep(source.git.tag, payload, version)]),
  ];
}

function tfvarsStep(edit: TfvarsEdit): Step<Io> {
  const name = path.basename(edit.path);
  return step({
    id: 'tfvars',
    phase: 'apply',
    title: `edit ${name}`,
    requestSchema: tfvarsEdit,
    resultSchema: z.object({after: z.string()}),
    request: async (_io: Io) => edit,
    perform: async (_io, {path: file, before, after, set}) => {
      const {text} = await readText(file);
      await applyEdit({path: file, before, after, text: editTfvars(text, file, set)});
      return {after};
    },
    settle: async (_io, {path: file, before, after}) => {
      const {sha256: now} = await readText(file);
      if (now === after) return {done: {after}};
      return now === before ? 'absent' : 'unknown';
    },
    tell: () =>
      `${name}: ${Object.entries(edit.set)
        .map(([key, value]) => `${key} = ${value}`)
        .join(', ')}`,
  });
}

// ── terraform apply ──────────────────────────────────────────────────────────────────────────────────

const applyRequest = z.object({
  folder: z.string(),
  directory: z.string(),
  workspace: z.string(),
  planFile: z.string(),
  planSha256: z.string(),
});

const applied = z.object({add: z.number(), change: z.number(), remove: z.number()});
type Applied = z.infer<typeof applied>;

function terraformStep(component: TerraformConfig, payload: TerraformPayload): Step<Io> {
  const {directory, workspace, planFile, planSha256} = payload;
  return step({
    id: 'terraform-apply',
    phase: 'apply',
    title: 'terraform apply of the saved plan',
    requestSchema: applyRequest,
    resultSchema: applied,
    // One folder a plan: a saved plan is applied once, whoever tries again.
    request: async (_io: Io) => ({folder: `${planFile}-${planSha256.slice(0, 12)}`, directory, workspace, planFile, planSha256}),
    perform: async (io, {folder, directory, workspace, planFile, planSha256}) => {
      await refuseOther(planFile, planSha256);
      await learnSecrets({directory, workspace}, planFile, io);
      const command = io.terraform.applyCommand({directory, workspace}, planFile, component.lockTimeout / 1000);
      await startSupervised({...command, folder, node: io.supervisor.node, supervisor: io.supervisor.script});
      const end = await seeThrough(folder, io);
      if (end instanceof DeployError) throw end;
      return end;
    },
    settle: async (io, {folder, directory, workspace, planFile}) => {
      const {is} = await inspectSupervised(folder);
      if (is === 'absent') return 'absent';
      await learnSecrets({directory, workspace}, planFile, io);
      const end = await seeThrough(folder, io);
      if (end instanceof LostAnswerError) return 'unknown';
      return end instanceof DeployError ? {failed: end} : {done: end};
    },
    tell: ({add, change, remove}) => `applied: ${add} added, ${change} changed, ${remove} destroyed`,
  });
}

/** It may have been another process that planned: nothing that Terraform says is written before its secrets are known. */
async function learnSecrets(module: RootModule, planFile: string, io: Io): Promise<void> {
  for (const secret of collectSecrets(await io.terraform.show(module, planFile))) io.learnSecret(secret);
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
 * Reads along until Terraform has ended. Asked to stop, it interrupts Terraform once, on purpose, and waits
 * for it to save its state; asked to detach, it leaves Terraform alone. Resolves with what came of it.
 */
async function seeThrough(folder: string, io: Io): Promise<Applied | DeployError> {
  let progress: ApplyProgress = nothingRead;
  // Terraform decides when it ends; only a detaching operator stops reading.
  const reading = new AbortController();
  const stop = () => {
    if (io.stopCommand()?.do === 'detach') reading.abort();
    else
      void interruptOnce(folder)
        .then(sent =>
          io.log(
            sent
              ? 'Interrupted once: Terraform stops after what it is doing, and saves its state.'
              : 'Terraform had ended already.',
          ),
        )
        .catch((error: unknown) => io.log(`Terraform could not be interrupted: ${toTrouble(error).what}`));
  };
  if (io.signal.aborted) stop();
  else io.signal.addEventListener('abort', stop, {once: true});
  try {
    const end = await follow(folder, {
      onLine: (line, stream) => {
        const message = stream === 'stdout' ? readMessage(line) : ({type: 'text', text: line} as const);
        progress = readOn(progress, message);
        io.log(message.text);
        io.progress({text: message.text, ...countOperations(progress), unit: 'operations'});
      },
      signal: reading.signal,
      sleep: io.clock.sleep,
    });
    const {error, summary} = concludeApply(progress, end);
    if (error) return inWords(error);
    return summary ?? {add: 0, change: 0, remove: 0};
  } finally {
    io.signal.removeEventListener('abort', stop);
  }
}

/** The edit came first: whoever reads the files has to know what they say. An interrupted apply has ended, and failed. */
function inWords(error: DeployError): DeployError {
  const {message, means, next} = error;
  const ended = error instanceof StoppedError ? new DeployError(message, {...(means && {means}), next, final: true}) : error;
  return ended.asFinal().also('The tfvars file holds the new version already. To go on, run the release again: it plans anew.');
}

// ── tag ──────────────────────────────────────────────────────────────────────────────────────────────

/** The commit that the image says it was built from, where this repository has it: the release may have found the image ready. */
async function builtFrom({image}: TerraformPayload, root: string, io: Io): Promise<string | undefined> {
  const revision = image ? (await io.docker.inspect(image.reference))?.labels[revisionLabel] : undefined;
  return revision !== undefined && (await io.git.treeOf(root, revision)) !== undefined ? revision : undefined;
}

const tagRequest = z.object({root: z.string(), name: z.string(), commit: z.string(), message: z.string()});

function tagStep(name: string, payload: TerraformPayload, version: string): Step<Io> {
  return step({
    id: 'tag',
    phase: 'apply',
    title: `git tag ${name}`,
    requestSchema: tagRequest,
    resultSchema: z.object({commit: z.string(), made: z.boolean()}),
    request: async (io: Io, results: Results) => {
      const root = await io.git.root(payload.directory);
      if (root === undefined)
        throw new DeployError(`${payload.directory} is not in a git repository`, {
          next: ['Take `source.git.tag` out of the config file.'],
        });
      const bump = committed.safeParse(results.get(prepared.commit)).data?.commit;
      return {
        root,
        name,
        // A tag that is there stays where it is: preflight has seen that it belongs to this version.
        commit:
          (await io.git.tagCommit(root, name)) ??
          bump ??
          (await builtFrom(payload, root, io)) ??
          (await io.git.head(root)).commit,
        message: `Release ${version}`,
      };
    },
    perform: async (io, {root, name, commit, message}) => {
      if ((await io.git.tagCommit(root, name)) === commit) return {commit, made: false};
      await io.git.tag(root, name, commit, message);
      return {commit, made: true};
    },
    settle: async (io, {root, name, commit}) =>
      (await io.git.tagCommit(root, name)) === commit ? {done: {commit, made: true}} : 'absent',
    tell: ({commit, made}) => `tag ${name} at ${commit.slice(0, 12)}${made ? ' (not pushed)' : ''}`,
  });
}
