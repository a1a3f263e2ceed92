/**
 * A new revision of a task definition (or a job definition) that differs from its base in the images of named containers and in
 * nothing else. Revisions are immutable, so base and images are all that a record has to keep: what is
 * registered is made anew from them, and values that a definition holds never enter the record.
 */
import * as z from 'zod';
import {DeployError} from '../../release/errors.ts';
import type {Json} from '../../release/json.ts';
import {canonical, fingerprint} from '../../release/hash.ts';
import {type Results, type Step, step} from '../../release/contract.ts';
import type {Detail} from '../../release/model.ts';
import type {TaskDefinition} from '../../tools/aws/ecs.ts';
import {aws} from '../by-hand.ts';
import {shortDigest} from '../images.ts';
import type {Io} from '../io.ts';
import {type Input, imagesIn, isObject, mapContainers, unsupported} from './containers.ts';
import {digestToBe} from './copying.ts';
import {type Definitions, taskDefinitions} from './definitions.ts';
import type {Pinning} from './settings.ts';

/** A container and the image that it is to run. */
export const containerImage = z.object({container: z.string(), image: z.string(), digest: z.string()});
export type ContainerImage = z.infer<typeof containerImage>;

/** What a revision is to be made from. */
export const revisionPlan = z.object({family: z.string(), base: z.string(), images: z.array(containerImage)});
export type RevisionPlan = z.infer<typeof revisionPlan>;

/** An image named by its digest; the tag stays for people, who read the version there. */
export function pinned(image: string, digest: string): string {
  return `${image}@${digest}`;
}

/** The image of each container. */
export function imagesOf(definition: TaskDefinition): ReadonlyMap<string, string> {
  return imagesIn(definition.input);
}

/** Which of the names is no container of the definition, in words; undefined where all are there. */
export function missingContainer(definition: TaskDefinition, names: readonly string[]): string | undefined {
  const known = imagesOf(definition);
  const missing = names.find(name => !known.has(name));
  if (missing === undefined) return undefined;
  const which = `${nounOf(definition)} ${definition.family}:${definition.revision}`;
  const why = unsupported(definition.input);
  return why === undefined
    ? `${which} has no container ${missing} (it has ${[...known.keys()].join(', ')})`
    : `${which} cannot be released: ${why}`;
}

function nounOf({arn}: TaskDefinition): Definitions['noun'] {
  return arn.includes(':job-definition/') ? 'job definition' : 'task definition';
}

export function correctImages(component: string): string {
  return `Correct the container's name under components.${component}.images in the config file.`;
}

/** What the definition is registered with, the images replaced. Throws for a container that is not there. */
export function withImages(definition: TaskDefinition, images: readonly ContainerImage[]): Input {
  const missing = missingContainer(
    definition,
    images.map(({container}) => container),
  );
  if (missing !== undefined) {
    throw new DeployError(missing, {
      means: 'Nothing was changed.',
      next: ['Correct the name under `images:` in the config file.'],
    });
  }
  return mapContainers(definition.input, (container, names) => {
    const wanted = images.find(({container}) => names.includes(container));
    return wanted === undefined ? container : {...container, image: wanted.image};
  });
}

/** Whether the definition runs these images already. */
export function runsImages(definition: TaskDefinition, images: readonly ContainerImage[]): boolean {
  const now = imagesOf(definition);
  return images.every(({container, image}) => now.get(container) === image);
}

/** The images of a release, looked up by tag. */
export async function resolveImages(
  settings: Readonly<Record<string, string>>,
  version: string,
  io: Io,
  pin: Pinning = 'tag',
): Promise<readonly ContainerImage[]> {
  return Promise.all(
    Object.entries(settings).map(async ([container, setting]) => {
      const image = await io.image(setting, version);
      const digest = await digestToBe(image);
      if (digest === undefined)
        throw new DeployError(`there is no tag ${version} in ${image.repository}`, {means: 'Nothing was changed.'});
      const named = pin === 'digest' ? pinned(image.uri, digest) : image.uri;
      return {container, image: named, digest};
    }),
  );
}

/**
 * What is wrong with the images of a plan by now: a tag that was moved to another image, or an image that was taken away.
 * Undefined while all stand; a tag that is moved means nothing to a revision that names the digest.
 */
export async function movedTag(images: readonly ContainerImage[], io: Io): Promise<string | undefined> {
  const now = await Promise.all(images.map(async image => ({...image, now: await io.digestOf(image.image)})));
  const moved = now.find(({digest, now}) => digest !== now);
  return moved && `${moved.image} is ${moved.now === undefined ? 'gone' : `another image now (${shortDigest(moved.now)})`}`;
}

/** Two lines an image: its name, old → new, and its digest. `running`: the digest that a container runs, where that is known. */
export async function imageDetails(
  definition: TaskDefinition,
  images: readonly ContainerImage[],
  io: Io,
  running: ReadonlyMap<string, string> = new Map(),
): Promise<Detail[]> {
  const now = imagesOf(definition);
  const details = await Promise.all(
    images.map(async ({container, image, digest}) => {
      const before = now.get(container);
      // For the eye only: where the old image is may be nowhere that can be asked.
      const old = running.get(container) ?? (before === undefined ? undefined : await io.digestOf(before).catch(() => undefined));
      return [
        {name: `${container} image`, before: before ?? null, after: image},
        {name: `${container} digest`, before: old === undefined ? null : shortDigest(old), after: shortDigest(digest)},
      ];
    }),
  );
  return details.flat();
}

/** `deposit-services:41` of an ARN. */
export function shortArn(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1);
}

/** How many settings of the definition stay as they are, for the words of a plan. */
export function settingsCount(definition: TaskDefinition): number {
  const count = (value: Json): number =>
    Array.isArray(value)
      ? value.reduce<number>((sum, item: Json) => sum + count(item), 0)
      : isObject(value)
        ? Object.values(value).reduce<number>((sum, item) => sum + count(item), 0)
        : 1;
  return count(definition.input);
}

const registerRequest = revisionPlan.extend({
  /** The newest revision before this one: what is newer is looked at when the answer is lost. */
  latest: z.string().nullable(),
  /** Of what is sent: a revision with the same one is ours. */
  fingerprint: z.string(),
});
const registered = z.object({taskDefinition: z.string()});

const registerStep = 'register';

/** Registers the revision: done once, because every call makes another one. */
export function register(plan: RevisionPlan, definitions: Definitions = taskDefinitions): Step<Io> {
  return step({
    id: registerStep,
    phase: 'apply',
    title: `register a revision of ${plan.family}`,
    requestSchema: registerRequest,
    resultSchema: registered,
    request: async io => {
      const [latest = null] = await definitions.revisions(plan.family, 1, io);
      return {...plan, latest, fingerprint: fingerprint(await inputOf(plan, definitions, io))};
    },
    perform: async (io, request) => ({
      taskDefinition: await definitions.register(await inputOf(request, definitions, io), io),
    }),
    settle: async (io, request) => {
      const input = await inputOf(request, definitions, io);
      for (const arn of await definitions.revisions(request.family, 20, io)) {
        if (arn === request.latest) break;
        const definition = await definitions.find(arn, io);
        if (definition && isSame(definition.input, input)) return {done: {taskDefinition: arn}};
      }
      return 'absent';
    },
    tell: ({taskDefinition}) => `${shortArn(taskDefinition)} registered`,
    byHand: io => {
      const {read, register, refused} = definitions.typed;
      const base = shortArn(plan.base);
      const images = plan.images.map(({container, image}) => `image ${image} in container ${container}`);
      return {
        note: `everything in the file as it is read (without ${refused})${images.length === 0 ? '' : `, but for ${images.join(', ')}`}`,
        commands: [
          aws(io, ...read(base)),
          aws(io, ...register, `file://<${base}${images.length === 0 ? '' : ', with its new image'}>`),
        ],
      };
    },
  });
}

async function inputOf(plan: RevisionPlan, definitions: Definitions, io: Io): Promise<Input> {
  const base = await definitions.find(plan.base, io);
  if (base === undefined)
    throw new DeployError(`${definitions.noun} ${shortArn(plan.base)} is gone`, {means: 'Nothing was registered.', final: true});
  return withImages(base, plan.images);
}

/** Whether two revisions are the same but for their numbers. */
function isSame(a: Input, b: Input): boolean {
  return fingerprint(comparable(a)) === fingerprint(comparable(b));
}

/** The newest of the given revisions that is active and holds exactly this; undefined where none does. */
export async function sameRevision(
  input: Input,
  candidates: readonly string[],
  definitions: Definitions,
  io: Io,
): Promise<TaskDefinition | undefined> {
  for (const arn of candidates) {
    const definition = await definitions.find(arn, io);
    if (definition?.status === 'ACTIVE' && isSame(definition.input, input)) return definition;
  }
  return undefined;
}

/** Lists whose order AWS does not keep. */
export function comparable(input: Input): Json {
  const sorted = (value: Json): Json => {
    if (Array.isArray(value))
      return value.map((item: Json) => sorted(item)).toSorted((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
    return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, sorted(item)])) : value;
  };
  return sorted(input);
}

/** ARN of the revision that the release has registered; undefined as long as it has not. */
export function registeredIn(results: Results): string | undefined {
  return registered.safeParse(results.get(registerStep)).data?.taskDefinition;
}

/** Stands for a revision that nobody has registered yet: a name alone would be whatever is the newest by then. */
export const newRevision = '<new revision>';

/** `web:42` of the revision that is to run, for a command that somebody types. */
export function revisionToType(
  {existing, register: made}: {readonly existing: string | null; readonly register: RevisionPlan | null},
  results: Results,
): string {
  const known = registeredIn(results) ?? existing;
  return known === null || known === undefined ? `${made?.family ?? ''}:${newRevision}` : shortArn(known);
}

/** The revision that is to run: the registered one, the one that was there already, or the one that runs. */
export function revisionOf(
  {existing, from}: {readonly existing: string | null; readonly from: string},
  results: Results,
): string {
  return registeredIn(results) ?? existing ?? from;
}
