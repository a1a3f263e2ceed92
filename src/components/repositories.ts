/** Other git repositories that must have the version's tag before a release begins: what was built from them is what is released. */
import * as z from 'zod';
import type {Gate} from '../release/contract.ts';
import type {Claim} from '../release/model.ts';
import type {Io} from './io.ts';
import {failed, passed} from './verdict.ts';

const versionReference = '${version}';

const url = z
  .string()
  .regex(/^(?:https?:\/\/|ssh:\/\/|git:\/\/|file:\/\/|[\w.-]+@[\w.-]+:|\/|\.{1,2}\/)\S+$/, 'an address as `git clone` takes it')
  .refine(address => !/^https?:\/\/[^/]*:[^/]*@/.test(address), 'a password has no place here: git finds its own credentials');

const repository = z.strictObject({
  url,
  tag: z
    .string()
    .refine(tag => isTag(tag.replaceAll(versionReference, '1.0.0')), 'the name of a git tag, in which ${version} may stand')
    .default(versionReference)
    .describe('The tag that it must have'),
});

export const repositoriesConfig = z
  .array(z.union([url.transform(address => ({url: address, tag: versionReference})), repository]))
  .default([])
  .describe('Git repositories that must have the tag of the version');
type Repositories = z.infer<typeof repositoriesConfig>;

/** `--override` with this name lets a missing tag through. */
export const repositoriesOverride = 'repositories';

/** What the repositories are asked for: their tags, by `git ls-remote`, which asks nobody for credentials. */
export function repositoryGates({repositories}: {readonly repositories: Repositories}, version: string): readonly Gate<Io>[] {
  return repositories.map(({url, tag}) => repositoryGate(url, tag.replaceAll(versionReference, version)));
}

function repositoryGate(address: string, tag: string): Gate<Io> {
  const claim: Claim = {
    id: `tag ${address} ${tag}`,
    text: `${nameOf(address)} has the tag ${tag}`,
    subject: {is: 'tag', address, tag},
  };
  return {
    claim,
    override: repositoriesOverride,
    check: async io => {
      // As the config file has it: a relative path starts there.
      const [object] = await io.git.remoteReferences(io.folder, address, [`refs/tags/${tag}`]);
      return object === undefined
        ? failed(claim, `there is no tag ${tag} in ${address}`, {next: `Tag it, or choose a version that is tagged there.`})
        : passed(claim, object.slice(0, 12));
    },
  };
}

/** `pass-core` of `https://github.com/eclipse-pass/pass-core.git`. */
function nameOf(address: string): string {
  return /([^/:]+?)(?:\.git)?\/*$/.exec(address)?.[1] ?? address;
}

/** What git takes for a reference (git-check-ref-format), and no pattern. */
function isTag(tag: string): boolean {
  return /^[^\s~^:?*[\\\p{Cc}]+$/u.test(tag) && !/\.\.|@\{|^[-/.]|\/\/|\/\.|[/.]$|\.lock(?:\/|$)/.test(tag);
}
