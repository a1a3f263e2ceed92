/** The steps of an approved Terraform plan: the tfvars file, the saved plan applied under a supervisor, the commit. */
import path from 'node:path';
import * as z from 'zod';
import {type Named, type Results, type Step, step} from '../../release/contract.ts';
import {DeployError} from '../../release/errors.ts';
import {sha256} from '../../release/hash.ts';
import {applyEdit, readText} from '../../tools/files.ts';
import type {Io} from '../io.ts';
import {editTfvars} from '../tfvars.ts';
import {terraformStep} from './apply-step.ts';
import {type TerraformConfig, type TerraformPayload, type TfvarsEdit, tfvarsEdit} from './config.ts';
import {settingsInWords} from './set-values.ts';
import {commitStep, committed, pushedLater, refuseSwitched, revisionLabel, steps as prepared} from './source.ts';

/** Ids of steps that others look for. */
export const [tfvarsCommit, tagStepId] = ['commit-tfvars', 'tag'] as const;

export function applySteps(component: Named<TerraformConfig>, payload: TerraformPayload, version: string): readonly Step<Io>[] {
  const {source} = component;
  return [
    ...(payload.edit ? [tfvarsStep(payload.edit, component)] : []),
    terraformStep(component, payload),
    ...(source?.git.commit
      ? [
          commitStep({
            id: tfvarsCommit,
            phase: 'apply',
            file: payload.varFile,
            message: `Deploy ${version}`,
            push: source.git.push,
            onTopOf: prepared.commit,
          }),
        ]
      : []),
    // What goes back was tagged when it was released.
    ...(source?.git.tag === undefined || payload.back ? [] : [tagStep(source.git.tag, payload, version, source.git.push)]),
  ];
}

function tfvarsStep(edit: TfvarsEdit, {source, set: configured}: TerraformConfig): Step<Io> {
  const name = path.basename(edit.path);
  return step({
    id: 'tfvars',
    phase: 'apply',
    title: `edit ${name}`,
    requestSchema: tfvarsEdit,
    resultSchema: z.object({after: z.string()}),
    request: async (io: Io, results: Results) => {
      const root = source?.git.commit ? await io.git.root(edit.path) : undefined;
      // Found out before anything is applied: it could not be committed afterwards.
      if (root !== undefined) await refuseSwitched(io, root, await io.git.head(root), results, prepared.commit);
      return edit;
    },
    perform: async (_io, {path: file, before, after, set}) => {
      const {text} = await readText(file);
      // A secret is in the config, and not in the record of a run that goes on.
      const edited = [set, configured].map(values => editTfvars(text, file, values)).find(one => sha256(one) === after);
      if (edited === undefined) {
        throw new DeployError(`${name} has changed since it was planned`, {
          means: 'It was left as it is, and Terraform was not started.',
          next: ['Run the release again: it plans anew.'],
          final: true,
        });
      }
      await applyEdit({path: file, before, after, text: edited});
      return {after};
    },
    settle: async (_io, {path: file, before, after}) => {
      const {sha256: now} = await readText(file);
      if (now === after) return {done: {after}};
      return now === before ? 'absent' : 'unknown';
    },
    tell: () => `${name}: ${settingsInWords(edit.set)}`,
    byHand: () => ({note: `in ${edit.path}: ${settingsInWords(edit.set)}`, commands: []}),
  });
}

// ── tag ──────────────────────────────────────────────────────────────────────────────────────────────

/** The commit that the image says it was built from, where this repository has it: the release may have found the image ready. */
async function builtFrom({image}: TerraformPayload, root: string, io: Io): Promise<string | undefined> {
  const revision = image ? (await io.docker.inspect(image.reference))?.labels[revisionLabel] : undefined;
  return revision !== undefined && (await io.git.treeOf(root, revision)) !== undefined ? revision : undefined;
}

const tagRequest = z.object({root: z.string(), name: z.string(), commit: z.string(), message: z.string()});

function tagStep(name: string, payload: TerraformPayload, version: string, push: boolean): Step<Io> {
  return step({
    id: tagStepId,
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
    tell: ({commit, made}) => `tag ${name} at ${commit.slice(0, 12)}${made ? ` (${push ? pushedLater : 'not pushed'})` : ''}`,
    byHand: (_io, results) => {
      const commit = committed.safeParse(results.get(prepared.commit)).data?.commit ?? '<commit that the image was built from>';
      return {commands: [['git', '-C', payload.directory, 'tag', '--annotate', '--message', `Release ${version}`, name, commit]]};
    },
  });
}
