/** Versions that exist: tags of the image repositories and of git, and what required environments say of them. */
import path from 'node:path';
import pLimit from 'p-limit';
import * as z from 'zod';
import type {Io} from '../../components/io.ts';
import {versionOfTag} from '../../components/terraform/source/released.ts';
import {componentSettings} from '../../config/load.ts';
import type {GateNote, KnownVersion} from '../../release/form.ts';
import type {Json} from '../../release/json.ts';
import {compareVersions, versionProblem} from '../../release/version.ts';
import type {Application} from '../application.ts';
import {imageSettings} from '../promotion.ts';
import {judgedBy} from './recall.ts';

/** How many are shown, newest first; and asked about at once. */
const most = 10;
const atOnce = 4;

/** A place with tags, and what they say of versions. */
interface Place {
  readonly isGit: boolean;
  list(): Promise<readonly {readonly version: string; readonly at: string | undefined}[]>;
}

/** What was found of a version so far. */
interface Found {
  images: number;
  pushedAt?: string;
  taggedAt?: string;
}

/** Calls `found` with all that is known after each place has answered. A place that cannot be asked says nothing. */
export async function findVersions(
  application: Application,
  environment: string,
  io: Io,
  env: Readonly<Record<string, string | undefined>>,
  found: (versions: readonly KnownVersion[]) => void,
): Promise<void> {
  const places = placesOf(application, environment, io, env);
  const of = places.filter(({isGit}) => !isGit).length;
  const all = new Map<string, Found>();
  const gates = new Map<string, readonly GateNote[]>();
  const tell = () => {
    const versions = [...all.keys()].toSorted((a, b) => compareVersions(b, a) ?? 0).slice(0, most);
    found(
      versions.map(version => {
        const {images: have = 0, ...times} = all.get(version) ?? {};
        return {version, images: {have, of}, ...times, gates: gates.get(version) ?? []};
      }),
    );
  };
  const limit = pLimit(atOnce);
  await Promise.all(
    places.map(({isGit, list}) =>
      limit(async () => {
        const listed = await list().catch(() => []);
        io.signal.throwIfAborted();
        for (const {version, at} of listed) note(all, version, isGit, at);
        tell();
      }),
    ),
  );
  const {requires = []} = application.loaded.config.environments[environment] ?? {};
  if (requires.length === 0) return;
  for (const version of [...all.keys()].toSorted((a, b) => compareVersions(b, a) ?? 0).slice(0, most)) {
    const judged = requires.map(requirement => judgedBy(application, requirement, version, io.clock.now()).catch(() => []));
    gates.set(version, (await Promise.all(judged)).flat());
    io.signal.throwIfAborted();
    tell();
  }
}

function note(all: Map<string, Found>, version: string, isGit: boolean, at: string | undefined): void {
  const known = all.get(version) ?? {images: 0};
  all.set(version, known);
  if (isGit) {
    if (at !== undefined) known.taggedAt = at;
    return;
  }
  known.images += 1;
  if (at !== undefined && at > (known.pushedAt ?? '')) known.pushedAt = at;
}

const withSource = z.object({
  source: z.object({
    build: z.object({context: z.string().optional()}).optional(),
    git: z.object({tag: z.string().optional()}).optional(),
  }),
});

function placesOf(
  {loaded}: Application,
  environment: string,
  io: Io,
  env: Readonly<Record<string, string | undefined>>,
): Place[] {
  const values = loaded.config.environments[environment]?.values ?? {};
  const settings = Object.keys(loaded.config.components).map(id =>
    componentSettings(loaded, id, {version: io.version, environment, values, env}),
  );
  const images = [...new Set(settings.flatMap(imageSettings))].map((setting): Place => ({
    isGit: false,
    list: async () => (await io.tagsOf(setting)).flatMap(({tag, pushedAt}) => versionsOnly(tag, pushedAt)),
  }));
  return [...images, ...settings.flatMap(one => gitPlace(one, io))];
}

/** The repository that a component is built from. */
function gitPlace(settings: Json, io: Io): readonly Place[] {
  const {data} = withSource.safeParse(settings);
  if (data === undefined) return [];
  const {build, git} = data.source;
  return [
    {
      isGit: true,
      list: async () => {
        const root = await io.git.root(path.resolve(io.folder, build?.context ?? '.'));
        const tags = root === undefined ? [] : await io.git.tagTimes(root);
        return tags.flatMap(({name, at}) =>
          versionOfTag(name, git?.tag, io.version).flatMap(version => versionsOnly(version, at)),
        );
      },
    },
  ];
}

function versionsOnly(version: string, at: string | undefined) {
  return versionProblem(version) === undefined ? [{version, at}] : [];
}
