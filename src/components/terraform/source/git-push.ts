/** The last step of all: what the release has committed and tagged goes where others see it, once it is verified. */
import * as z from 'zod';
import {type Results, type Step, step} from '../../../release/contract.ts';
import {DeployError, LostAnswerError, toTrouble} from '../../../release/errors.ts';
import type {Io} from '../../io.ts';
import {type TerraformConfig, pathsOf} from '../config.ts';
import {committed} from './commit.ts';

const gitPushRequest = z.object({
  root: z.string(),
  remote: z.string(),
  updates: z.array(z.object({from: z.string(), to: z.string()})),
});
type GitPush = z.infer<typeof gitPushRequest>;

/** Where the results of the steps are that commit and tag: newest commit first. */
export interface GitResults {
  readonly commits: readonly string[];
  readonly tag: string;
}

/** No step where nothing is to be pushed, or where this run has committed and tagged nothing. */
export function gitPushSteps(component: TerraformConfig, results: Results, ids: GitResults): readonly Step<Io>[] {
  const {source} = component;
  const commit = ids.commits.map(id => committed.safeParse(results.get(id)).data?.commit).find(found => found !== undefined);
  const tag = results.has(ids.tag) ? source?.git.tag : undefined;
  if (!source?.git.push || (commit === undefined && tag === undefined)) return [];
  return [gitPushStep(component, commit, tag)];
}

function gitPushStep(component: TerraformConfig, commit: string | undefined, tag: string | undefined): Step<Io> {
  return step({
    id: 'git-push',
    phase: 'verify',
    title: 'git push',
    requestSchema: gitPushRequest,
    resultSchema: z.object({remote: z.string(), references: z.array(z.string())}),
    request: async (io: Io) => {
      const root = await io.git.root(pathsOf(component, io).context);
      const {branch, commit: head = ''} = root === undefined ? {} : await io.git.head(root);
      const upstream = root === undefined || branch === undefined ? undefined : await io.git.upstream(root, branch);
      if (root === undefined || branch === undefined || upstream === undefined) throw nowhere();
      if (commit !== undefined && !(await io.git.isIn(root, commit, head))) throw switched(commit, branch);
      const object = tag === undefined ? undefined : await io.git.tagObject(root, tag);
      return {
        root,
        remote: upstream.remote,
        updates: [
          ...(commit === undefined ? [] : [{from: commit, to: upstream.reference}]),
          ...(object === undefined ? [] : [{from: object, to: `refs/tags/${tag}`}]),
        ],
      };
    },
    perform: async (io, request) => {
      if (!(await isThere(io, request))) await push(io, request);
      // What a hook there has turned down without a word is not pushed.
      if (!(await isThere(io, request))) {
        throw new DeployError(`${request.remote} has taken the push, and does not have what was pushed`, verified);
      }
      return told(request);
    },
    settle: async (io, request) => ((await isThere(io, request)) ? {done: told(request)} : 'absent'),
    byHand: io => {
      const git = ['git', '-C', pathsOf(component, io).context, 'push'];
      return {
        commands: [
          ...(commit === undefined ? [] : [git]),
          ...(tag === undefined ? [] : [[...git, '<remote>', `refs/tags/${tag}`]]),
        ],
      };
    },
    tell: ({remote, references}) => `pushed ${references.join(' and ')} to ${remote}`,
  });
}

/** Pushed from there, it would go to where that branch comes from. */
function switched(commit: string, branch: string): DeployError {
  return new DeployError(
    `${branch} does not have the commit ${commit.slice(0, 12)}: another branch was checked out meanwhile, or it was taken back`,
    {
      ...verified,
      next: [`Check out the branch that has it (\`git branch --contains ${commit.slice(0, 12)}\`), and push by hand.`],
    },
  );
}

const told = ({remote, updates}: GitPush) => ({
  remote,
  references: updates.map(({to}) => to.replace(/^refs\/(?:heads|tags)\//, '')),
});

async function isThere(io: Io, {root, remote, updates}: GitPush): Promise<boolean> {
  const found = await io.git.remoteReferences(
    root,
    remote,
    updates.map(({to}) => to),
  );
  return updates.every(({from}, index) => found[index] === from);
}

async function push(io: Io, {root, remote, updates}: GitPush): Promise<void> {
  try {
    await io.git.push(root, remote, updates);
  } catch (error) {
    // Lost answers stay what they are: the step settles them.
    if (error instanceof LostAnswerError || !(error instanceof DeployError)) throw error;
    const {what, next = []} = toTrouble(error);
    throw new DeployError(what, {...verified, next: [...next], cause: error});
  }
}

const verified = {means: 'The release itself is done and verified. Commits and tag are in this repository only.'} as const;

function nowhere(): DeployError {
  return new DeployError('there is no branch, or no remote, to push to', {
    ...verified,
    next: ['Push by hand, or set `source.git.push: false` in the config file.'],
  });
}
