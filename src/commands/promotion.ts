/** Promotion, as the records tell it: what another environment has verified, and which images are meant here. */
import * as z from 'zod';
import {digestToBe} from '../components/aws/copying.ts';
import type {Io} from '../components/io.ts';
import {type LoadedConfig, componentSettings} from '../config/load.ts';
import type {Past, Promoted} from '../release/checklist.ts';
import type {Json} from '../release/json.ts';
import {repositoryOf} from '../release/standing.ts';
import type {Store} from '../record/store.ts';
import type {Context} from './context.ts';
import {readTicks, readTraces} from './records.ts';

/** What the records of `environment` say of these components and this version; and what is wrong with those records. */
export async function readPast(
  store: Store,
  environment: string,
  {version, components}: {readonly version: string; readonly components: readonly string[]},
  checklist: LoadedConfig['config']['checklist'],
): Promise<Past & {readonly problems: readonly string[]}> {
  const {traces, runs, problems, unread} = await readTraces(store, environment, so =>
    components.every(component => {
      const all = so.filter(trace => trace.component === component);
      const there = all.findIndex(trace => trace.version === version);
      // Since when it is there is known once something else was.
      return there !== -1 && all.slice(there).some(trace => trace.version !== version);
    }),
  );
  const ticks = await readTicks(store, environment, version, runs);
  const before = new Set(checklist.flatMap(({id, when}) => (when === 'before' ? [id] : [])));
  return {traces, ticks: ticks.ticks, before, unread, problems: [...problems, ...ticks.problems]};
}

/** Where the kinds' settings name images: by container, as a list, or as what is built. */
const named = z.object({
  images: z.union([z.array(z.string()), z.record(z.string(), z.string())]).optional(),
  source: z.object({build: z.object({image: z.string()})}).optional(),
});

/** The images that a component's settings name, without tags. */
export function imageSettings(settings: Json): readonly string[] {
  const {images = [], source} = named.safeParse(settings).data ?? {};
  return [...new Set([...Object.values(images), ...(source ? [source.build.image] : [])])];
}

/** The images of a release as they are in this environment's registry. */
export async function promotedHere(
  context: Pick<Context, 'env'>,
  loaded: LoadedConfig,
  choice: {readonly environment: string; readonly version: string; readonly components: readonly string[]},
  io: Io,
): Promise<Promoted> {
  const {environment, version} = choice;
  const values = loaded.config.environments[environment]?.values ?? {};
  const digests = await Promise.all(
    choice.components.map(async component => {
      const settings = componentSettings(loaded, component, {version, environment, values, env: context.env});
      const images = imageSettings(settings).map(async setting => {
        const image = await io.image(setting, version);
        return [repositoryOf(image.repository), await digestToBe(image)] as const;
      });
      return [component, new Map(await Promise.all(images))] as const;
    }),
  );
  return {version, digests: new Map(digests)};
}
