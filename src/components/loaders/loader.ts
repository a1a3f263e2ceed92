/** A loader as its config has it, whatever kind it is of, and what a plan of one carries. */
import * as z from 'zod';
import type {Definitions} from '../aws/definitions.ts';
import type {Pinning} from '../aws/settings.ts';
import {containerImage, revisionPlan} from '../aws/task-definition.ts';
import {move} from './moving.ts';
import {type Wanted, wanted} from './reference.ts';
import {loaderSettings} from './settings.ts';
import {smokePlan} from './smoke.ts';
import {type Source, source, sourceOf} from './target.ts';

const settings = z.object(loaderSettings);

export interface Loader {
  readonly id: string;
  readonly wanted: Wanted;
  readonly definitions: Definitions;
  readonly images: Readonly<Record<string, string>>;
  readonly sources: readonly Source[];
  readonly pin: Pinning;
  readonly smoke: {readonly within: number} | null;
}

export function loaderOf(
  {id, images, targets, pin, smoke}: z.infer<typeof settings> & {readonly id: string},
  name: string,
  definitions: Definitions,
): Loader {
  return {id, wanted: {service: definitions.service, name}, definitions, images, sources: targets.map(sourceOf), pin, smoke};
}

/** A place that names the definition, with the reference that stood there when it was read. */
export const pin = z.object({source, entry: z.string(), starts: z.string()});
export type Pin = z.infer<typeof pin>;

export const state = z.object({
  /** ARN of the revision that counts as what was there. */
  definition: z.string(),
  pins: z.array(pin),
  /** What it ran, with the digests that the tags had, where they could be asked. */
  images: z.array(containerImage),
});
export type State = z.infer<typeof state>;

export const payload = z.object({
  wanted,
  /** ARN of the revision that counts as what is there now. */
  from: z.string(),
  register: revisionPlan.nullable(),
  /** The revision that is used where none is registered. */
  existing: z.string().nullable(),
  images: z.array(containerImage),
  smoke: smokePlan.nullable(),
  /** The places that are to be moved. */
  moves: z.array(move),
  /** All places, moved or not, as they were: what must not have changed meanwhile, and what is proved afterwards. */
  pins: z.array(pin),
});
export type Payload = z.infer<typeof payload>;
