/** Where the images came from: the commit, its tree, and the tag, as far as this checkout has them. */
import * as z from 'zod';
import type {Io} from '../../components/io.ts';
import {toTrouble} from '../../release/errors.ts';
import {type DoneStep, stepKey} from '../../release/history.ts';
import {showCommand} from '../../tools/exec.ts';
import {type Line, line} from './lines.ts';
import type {Subject} from './preconditions.ts';

/** What the steps of a build and of a tag have recorded. */
const builtFrom = z.object({reference: z.string(), revision: z.string().nullable(), labels: z.record(z.string(), z.string())});
const tagged = z.object({name: z.string(), commit: z.string()});
const committed = z.object({commit: z.string(), made: z.boolean()});

export async function sourceLines({audited, loaded}: Subject, io: Io): Promise<readonly Line[]> {
  const root = await io.git.root(loaded.folder).catch(() => undefined);
  const lines = await Promise.all(
    (audited.history.started?.components ?? []).map(async ({id}) => {
      const step = (name: string) => audited.history.done.get(stepKey(id, name));
      return Promise.all([
        ...asList(buildLine(id, step('build'), root, io)),
        ...asList(commitLine(id, step('commit-tfvars'), root, io)),
        ...asList(tagLine(id, step('tag'), root, io)),
      ]);
    }),
  );
  return lines.flat();
}

function asList<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

function buildLine(id: string, build: DoneStep | undefined, root: string | undefined, io: Io): Promise<Line> | undefined {
  const {data} = builtFrom.safeParse(build?.request);
  if (data === undefined) return undefined;
  const saying = (see: string) => line(`${id} commit`, `${data.reference} was built from a commit, with a clean tree`, see);
  if (data.revision === null) {
    const say = saying(showCommand(['docker', 'buildx', 'imagetools', 'inspect', data.reference, '--format', '{{json .Image}}']));
    const label = data.labels['org.opencontainers.image.revision'];
    return Promise.resolve(
      say.warned(label === undefined ? 'it was built outside of git' : `it was built from ${label}: changes that no commit has`),
    );
  }
  return inCheckout(saying(seeCommit(data.revision)), data.revision, root, io);
}

function commitLine(id: string, step: DoneStep | undefined, root: string | undefined, io: Io): Promise<Line> | undefined {
  const {data} = committed.safeParse(step?.result);
  return data?.made
    ? inCheckout(
        line(`${id} tfvars commit`, `${id}: what was applied is committed`, seeCommit(data.commit)),
        data.commit,
        root,
        io,
      )
    : undefined;
}

function seeCommit(commit: string): string {
  return showCommand(['git', 'show', '--stat', commit]);
}

/** A commit is its content: that it is there is all there is to see. */
async function inCheckout(say: ReturnType<typeof line>, commit: string, root: string | undefined, io: Io): Promise<Line> {
  if (root === undefined) return say.open(`${commit}: there is no git repository here`);
  const tree = await io.git.treeOf(root, commit);
  return tree === undefined ? say.open(`${commit} is not in this checkout`, {next: 'git fetch'}) : say.passed(commit);
}

function tagLine(id: string, step: DoneStep | undefined, root: string | undefined, io: Io): Promise<Line> | undefined {
  const {data} = tagged.safeParse(step?.request);
  return data && lookAtTag(id, data, root, io);
}

async function lookAtTag(id: string, {name, commit}: z.infer<typeof tagged>, root: string | undefined, io: Io): Promise<Line> {
  const say = line(
    `${id} tag`,
    `git tag ${name} is at ${commit.slice(0, 12)}`,
    showCommand(['git', 'rev-parse', `${name}^{commit}`]),
  );
  if (root === undefined) return say.open('there is no git repository here');
  try {
    const now = await io.git.tagCommit(root, name);
    if (now === commit) return say.passed(commit);
    if (now !== undefined) return say.failed(`it is at ${now}`);
    // A checkout that has the commit and not the tag may just not have fetched it.
    return say.open('there is no such tag in this checkout', {next: 'git fetch --tags'});
  } catch (error) {
    return say.open(toTrouble(error).what);
  }
}
