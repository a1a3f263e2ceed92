/** Images that are not in ECR yet: copied there before the plan, once each, digest and platforms kept. */
import * as z from 'zod';
import {type Step, type Target, step} from '../../release/contract.ts';
import {DeployError} from '../../release/errors.ts';
import {shortDigest} from '../images.ts';
import type {Image, Io} from '../io.ts';

/** The digest that an image has, or will have once it is copied; undefined where there is none anywhere. */
export async function digestToBe(image: Image): Promise<string | undefined> {
  return (await image.digest())?.digest ?? image.source?.digest();
}

/**
 * The steps that copy those of the images that are missing. None on the way back: what ran before is there. Of several
 * components that name an image the first copies it, so it has to be called before anything is waited for.
 */
export async function copySteps(settings: readonly string[], target: Target<unknown>, io: Io): Promise<readonly Step<Io>[]> {
  if (target.is === 'state') return [];
  const mine = [...new Set(settings)].filter(setting => io.copiesImage(setting));
  const steps = await Promise.all(
    mine.map(async setting => {
      const image = await io.image(setting, target.version);
      const missing = image.source !== undefined && (await image.digest()) === undefined;
      return missing ? [copyStep(setting, image)] : [];
    }),
  );
  return steps.flat();
}

const request = z.object({setting: z.string(), tag: z.string(), from: z.string(), digest: z.string()});
type Request = z.infer<typeof request>;

function copyStep(setting: string, {uri, tag, repository, source}: Image): Step<Io> {
  return step({
    id: `copy ${setting}`,
    phase: 'push',
    title: `copy ${repository}:${tag} from ${source?.uri ?? ''}`,
    requestSchema: request,
    resultSchema: z.object({digest: z.string()}),
    request: async (io: Io) => {
      const {uri, digest} = await sourceOf(setting, tag, io);
      const found = await digest();
      if (found === undefined) throw new DeployError(`there is no ${uri}`, {means: 'Nothing was copied.'});
      return {setting, tag, from: uri, digest: found};
    },
    perform: async (io, request) => {
      await copy(request, io);
      const now = await arrived(request, io);
      if (now === request.digest) return {digest: now};
      throw new DeployError(
        `${repository}:${tag} was copied as ${request.digest}, and ECR has ${now ?? 'nothing by that name'}`,
        {
          means: 'The environment was not touched.',
        },
      );
    },
    settle: async (io, {digest}) => {
      const now = (await (await io.image(setting, tag)).digest())?.digest;
      if (now === digest) return {done: {digest}};
      if (now === undefined) return 'absent';
      return {failed: new DeployError(`${repository}:${tag} is another image by now: ${now}`, {final: true})};
    },
    tell: ({digest}) => `${repository}:${tag} copied, ${shortDigest(digest)}`,
    byHand: () => ({commands: [['docker', 'buildx', 'imagetools', 'create', '--tag', uri, source?.uri ?? '']]}),
  });
}

async function sourceOf(setting: string, tag: string, io: Io) {
  const {source, repository} = await io.image(setting, tag);
  if (source === undefined)
    throw new DeployError(`nothing says where ${repository} is copied from`, {means: 'Nothing was copied.'});
  return source;
}

const megabyte = 1_000_000;

async function copy({setting, tag, digest, from}: Request, io: Io): Promise<void> {
  const source = await sourceOf(setting, tag, io);
  const text = from.slice(from.lastIndexOf('/') + 1);
  const {manifests, blobs, sent} = await source.copy(digest, {
    signal: io.signal,
    onLine: io.log,
    onProgress: (done, total) =>
      io.progress({text, done: Math.floor(done / megabyte), total: Math.ceil(total / megabyte), unit: 'MB'}),
  });
  io.log(`${text}: ${manifests} manifests, ${sent} of ${blobs} blobs sent`);
}

/** How long ECR may take to tell of what it was sent. Milliseconds. */
const patience = 10_000;

async function arrived({setting, tag}: Request, io: Io): Promise<string | undefined> {
  const image = await io.image(setting, tag);
  const until = io.clock.now() + patience;
  for (;;) {
    const found = await image.digest();
    if (found !== undefined || io.clock.now() >= until) return found?.digest;
    await io.clock.sleep(500, io.signal);
  }
}
