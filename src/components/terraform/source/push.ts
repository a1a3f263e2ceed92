/** The push: never over another image unasked, and believed only when the registry says so itself. */
import * as z from 'zod';
import {type Step, step} from '../../../release/contract.ts';
import {DeployError, RefusedError} from '../../../release/errors.ts';
import {parseImageName} from '../../../tools/registry.ts';
import {shortDigest} from '../../images.ts';
import type {Io} from '../../io.ts';
import type {Source} from '../config.ts';
import {built} from './build.ts';
import {loginAside, withLogin} from './login.ts';

const pushRequest = z.object({reference: z.string(), id: z.string()});
export const pushed = z.object({
  digest: z.string(),
  pushed: z.boolean(),
  /** The tag named another image before. */
  overwrote: z.boolean().default(false),
});

export function pushStep(id: string, source: Source, version: string, buildId: string): Step<Io> {
  const reference = `${source.build.image}:${version}`;
  const name = parseImageName(reference);
  const loggedIn = <T>(io: Io, work: () => Promise<T>) => withLogin(io, name.registry, source.build.login, work);
  return step({
    id,
    phase: 'push',
    title: `docker push ${reference}`,
    requestSchema: pushRequest,
    resultSchema: pushed,
    request: async (_io: Io, results) => ({reference, id: built.parse(results.get(buildId)).id}),
    perform: async (io, {id}) => {
      // Docker pushes whatever has that name now.
      if ((await io.docker.inspect(reference))?.id !== id) throw renamed(reference);
      const before = await loggedIn(io, () => io.registry.digest(name, version));
      if (before !== undefined) {
        if (await isPushed(io, reference, version, id)) return {digest: before, pushed: false, overwrote: false};
        if (!io.allows('overwrite-tag', io.component)) throw overwrites(reference, before);
      }
      const said = await loggedIn(io, () => push(io, reference));
      const digest = await loggedIn(io, () => io.registry.digest(name, version));
      if (digest === undefined)
        throw new DeployError(`${reference} was pushed, and the registry does not have it`, {
          means: 'The environment was not touched.',
        });
      if (said !== undefined && said !== digest) {
        throw new DeployError(
          `${reference} is ${digest} in the registry, and ${said} was pushed: somebody else pushed the same tag`,
          {
            means: 'The environment was not touched.',
            final: true,
          },
        );
      }
      return {digest, pushed: true, overwrote: before !== undefined};
    },
    settle: async (io, {id}) => {
      const digest = await loggedIn(io, () => io.registry.digest(name, version));
      return digest !== undefined && (await isPushed(io, reference, version, id))
        ? {done: {digest, pushed: true, overwrote: false}}
        : 'absent';
    },
    byHand: () => ({commands: [['docker', 'push', reference]]}),
    tell: ({digest, pushed}) => `${reference} ${pushed ? 'pushed' : 'was there already'}, ${shortDigest(digest)}`,
  });
}

/** One `docker push`; answers the digest that it printed. */
async function push(io: Io, reference: string): Promise<string | undefined> {
  const {digest} = await io.docker.push(
    reference,
    {
      onLine: io.log,
      onProgress: (done, total, text) => io.progress({text, done, total, unit: 'layers'}),
      signal: io.signal,
    },
    await loginAside(io, reference),
  );
  return digest;
}

function renamed(reference: string): DeployError {
  return new DeployError(`${reference} is not the image any more that this release has built: somebody else built or tagged it`, {
    means: 'Nothing was pushed.',
    next: ['Run the release again: it builds anew.'],
    final: true,
  });
}

function overwrites(reference: string, digest: string): DeployError {
  return new RefusedError(`${reference} is in the registry already, as another image (${shortDigest(digest)})`, {
    code: 'DW303',
    means: 'Nothing was pushed. Whoever runs that tag goes on running what it was.',
    next: ['Release another version, or overwrite the tag with --allow overwrite-tag.'],
    final: true,
  });
}

/** Whether the registry's tag is the local image: by what docker remembers of a push, or by the configuration that both name. */
async function isPushed(io: Io, reference: string, tag: string, id: string): Promise<boolean> {
  const name = parseImageName(reference);
  const digest = await io.registry.digest(name, tag);
  const local = await io.docker.inspect(reference);
  if (digest === undefined || local === undefined || local.id !== id) return false;
  return (
    digest === id ||
    local.repoDigests.some(known => known.endsWith(`@${digest}`)) ||
    (await io.registry.imageId(name, tag)) === id
  );
}
