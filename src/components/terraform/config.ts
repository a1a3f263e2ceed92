/** What the config file says of a Terraform component, and what a plan of one carries. */
import path from 'node:path';
import * as z from 'zod';
import {common, duration} from '../settings.ts';
import type {Io} from '../io.ts';
import {httpVerify} from '../http-claim.ts';
import {sources} from './sources.ts';
import {patternProblem} from '../version-file/pattern.ts';

/** The name of an environment variable. */
const variable = z.string().regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable');

const secret = z.union(
  [
    z.strictObject({env: variable.describe('Environment variable that holds it')}),
    z.strictObject({file: z.string().min(1).describe('File that holds it, relative to the config file')}),
  ],
  {error: 'must be {env: <variable>} or {file: <path>}'},
);

const build = z.strictObject({
  context: z.string().default('.').describe('Folder, relative to the config file'),
  dockerfile: z.string().optional().describe('Relative to the context'),
  image: z.string().min(1).describe('Repository without a tag; the tag is the version'),
  args: z.record(z.string(), z.string()).optional().describe('Not for secrets: they end up in the image’s history'),
  platform: z.string().optional(),
  target: z.string().optional(),
  secrets: z
    .record(z.string().regex(/^[\w.-]+$/, 'letters, digits, ".", "_" and "-"'), secret)
    .optional()
    .describe('For RUN --mount=type=secret,id=…: takes BuildKit'),
  login: z
    .strictObject({username: variable, password: variable})
    .optional()
    .describe('Environment variables that hold user and password of the registry'),
});

const git = z.strictObject({
  commit: z.boolean().default(true).describe('Commits the bump before the build, and the tfvars after the apply'),
  tag: z.string().optional().describe('Made after the apply, at the commit that the image was built from'),
  push: z.boolean().default(false).describe('Pushes commits and tag once the release is verified'),
  allowDirty: z.boolean().default(false).describe('Builds from a work tree with changes that no commit has'),
});

const versionSourceWords = 'must be a file, {file, pattern}, or a list of these';
const versionSource = z.union(
  [
    z.string().min(1),
    z.strictObject({
      file: z.string().min(1),
      pattern: z
        .string()
        .superRefine((pattern, context) => {
          const problem = patternProblem(pattern);
          if (problem !== undefined) context.addIssue({code: 'custom', message: problem});
        })
        .describe('Regular expression with a group (?<version>…); `^` and `$` are the ends of a line'),
    }),
  ],
  {error: versionSourceWords},
);

const source = z.strictObject({
  version: z
    .union([versionSource, z.array(versionSource).min(1)], {error: versionSourceWords})
    .describe(
      'File that states the version (*.py, package.json, pyproject.toml, VERSION, …), or {file, pattern}; or several of them',
    ),
  build,
  git: git.default({commit: true, push: false, allowDirty: false}),
});

const verify = httpVerify.extend({
  maxDowntime: duration.optional().describe('How long it may be down while it is released; longer is a failed check'),
});

export const terraformConfig = z.strictObject({
  kind: z.literal('terraform'),
  ...common,
  directory: z.string().default('.').describe('Of the root module, relative to the config file'),
  workspace: z.string().min(1).default('default'),
  tfvars: z.string().default('terraform.tfvars').describe('Relative to the directory'),
  set: z.record(z.string(), z.string()).default({}).describe('Input variables that a release sets in the tfvars file'),
  allowChanges: z
    .array(z.string())
    .optional()
    .describe('Addresses that a release may touch; anything else needs an explicit yes (flag `unlisted`)'),
  fromEnv: z
    .array(variable)
    .default([])
    .describe('Input variables that are taken from the environment (TF_VAR_<name>); any other is not passed on'),
  lockTimeout: duration.default(60_000).describe('How long to wait for a state lock that somebody holds'),
  source: source.optional(),
  verify: verify.optional(),
});
export type TerraformConfig = z.infer<typeof terraformConfig>;
export type Source = z.infer<typeof source>;

/** What a variable is set to: a text, or what is no text as it is written. */
export const settings = z.record(z.string(), z.union([z.string(), z.object({raw: z.string()})]));

/** What tells one edition of a Terraform component from another. */
export const terraformState = z.object({
  set: settings,
  /** Of the image that it runs, as the registry had it; null where none is built, or the registry did not answer. */
  digest: z.string().nullable().default(null),
});
export type TerraformState = z.infer<typeof terraformState>;

/** Which state a plan was made from, and which edition of it. */
export const stateIdentity = z.object({lineage: z.string(), serial: z.number()});
export type StateIdentity = z.infer<typeof stateIdentity>;

/** An edit of the tfvars file: SHA-256 before and after. */
export const tfvarsEdit = z.object({
  path: z.string(),
  before: z.string(),
  after: z.string(),
  set: settings,
});
export type TfvarsEdit = z.infer<typeof tfvarsEdit>;

export const terraformPayload = z.object({
  directory: z.string(),
  workspace: z.string(),
  /** The tfvars file that holds the values once it is edited, and its SHA-256 before. */
  varFile: z.string(),
  varFileSha256: z.string(),
  /** Null where the file says it all already. */
  edit: tfvarsEdit.nullable(),
  planFile: z.string(),
  planSha256: z.string(),
  /** What an apply has to be told once more, because no plan holds ephemeral variables; null where there are none. */
  applyVarFile: z.string().nullable(),
  sources,
  /** Terraform's version. */
  terraform: z.string(),
  /** Null before the first apply. */
  state: stateIdentity.nullable(),
  /** Null where the config says nothing of AWS. */
  account: z.string().nullable(),
  /** What the plan touches. */
  addresses: z.array(z.string()),
  image: z.object({reference: z.string(), digest: z.string().nullable()}).nullable(),
  /** Where it answers, and with what: the version that this plan leads to. */
  verify: z
    .object({
      http: z.string(),
      expect: z.string().nullable(),
      within: z.number(),
      maxDowntime: z.number().nullable(),
    })
    .nullable(),
  /** Towards a state that was there before: nothing is built, and no tag made. */
  back: z.boolean(),
});
export type TerraformPayload = z.infer<typeof terraformPayload>;

/** The paths of a component, absolute. */
export function pathsOf(
  component: TerraformConfig,
  io: Pick<Io, 'folder'>,
): {readonly directory: string; readonly varFile: string; readonly context: string} {
  const directory = path.resolve(io.folder, component.directory);
  return {
    directory,
    varFile: path.resolve(directory, component.tfvars),
    context: path.resolve(io.folder, component.source?.build.context ?? '.'),
  };
}

/** `repository:version` of the image that the component builds; undefined where it builds none. */
export function referenceOf(component: TerraformConfig, version: string): string | undefined {
  return component.source && `${component.source.build.image}:${version}`;
}
