/** What the config file says of a Terraform component, and what a plan of one carries. */
import path from 'node:path';
import {z} from 'zod';
import {duration} from '../settings.ts';
import type {Io} from '../io.ts';
import {httpVerify} from '../http-claim.ts';

const build = z.strictObject({
  context: z.string().default('.').describe('Folder, relative to the config file'),
  dockerfile: z.string().optional().describe('Relative to the context'),
  image: z.string().min(1).describe('Repository without a tag; the tag is the version'),
  args: z.record(z.string(), z.string()).optional().describe('Not for secrets: they end up in the image’s history'),
  platform: z.string().optional(),
  target: z.string().optional(),
});

const git = z.strictObject({
  commit: z.boolean().default(true).describe('Commits the bump before the build, and the tfvars after the apply'),
  tag: z.string().optional().describe('Made after the apply, at the commit that the image was built from'),
  push: z.literal(false, {error: '`push: true` is not there yet in this version of deploy-wizard: push by hand'}).default(false),
});

const source = z.strictObject({
  version: z.string().min(1).describe('File that states the version: *.py, package.json, pyproject.toml, VERSION, …'),
  build,
  git: git.default({commit: true, push: false}),
});

export const terraformConfig = z.strictObject({
  kind: z.literal('terraform'),
  needs: z.array(z.string()).optional(),
  directory: z.string().default('.').describe('Of the root module, relative to the config file'),
  workspace: z.string().min(1).default('default'),
  tfvars: z.string().default('terraform.tfvars').describe('Relative to the directory'),
  set: z.record(z.string(), z.string()).default({}).describe('Input variables that a release sets in the tfvars file'),
  allowChanges: z
    .array(z.string())
    .optional()
    .describe('Addresses that a release may touch; anything else needs an explicit yes (flag `unlisted`)'),
  lockTimeout: duration.default(60_000).describe('How long to wait for a state lock that somebody holds'),
  source: source.optional(),
  verify: httpVerify.optional(),
});
export type TerraformConfig = z.infer<typeof terraformConfig>;
export type Source = z.infer<typeof source>;

/** What tells one edition of a Terraform component from another. */
export const terraformState = z.object({set: z.record(z.string(), z.string())});
export type TerraformState = z.infer<typeof terraformState>;

/** An edit of the tfvars file: SHA-256 before and after. */
export const tfvarsEdit = z.object({
  path: z.string(),
  before: z.string(),
  after: z.string(),
  set: z.record(z.string(), z.string()),
});
export type TfvarsEdit = z.infer<typeof tfvarsEdit>;

export const terraformPayload = z.object({
  directory: z.string(),
  workspace: z.string(),
  /** The tfvars file that holds the values once it is edited. */
  varFile: z.string(),
  /** Null where the file says it all already. */
  edit: tfvarsEdit.nullable(),
  planFile: z.string(),
  planSha256: z.string(),
  /** Of the module's own files. */
  sources: z.string(),
  /** Terraform's version. */
  terraform: z.string(),
  /** What the plan touches. */
  addresses: z.array(z.string()),
  image: z.object({reference: z.string(), digest: z.string().nullable()}).nullable(),
});
export type TerraformPayload = z.infer<typeof terraformPayload>;

/** The paths of a component, absolute. */
export function pathsOf(
  component: TerraformConfig,
  io: Pick<Io, 'folder'>,
): {readonly directory: string; readonly varFile: string; readonly context: string; readonly versionFile: string} {
  const directory = path.resolve(io.folder, component.directory);
  return {
    directory,
    varFile: path.resolve(directory, component.tfvars),
    context: path.resolve(io.folder, component.source?.build.context ?? '.'),
    versionFile: path.resolve(io.folder, component.source?.version ?? ''),
  };
}

/** `repository:version` of the image that the component builds; undefined where it builds none. */
export function referenceOf(component: TerraformConfig, version: string): string | undefined {
  return component.source && `${component.source.build.image}:${version}`;
}
