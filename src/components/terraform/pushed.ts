/** What the registry holds of a component's image. */
import {parseImageName} from '../../tools/registry.ts';
import type {Io} from '../io.ts';
import {type TerraformConfig, referenceOf} from './config.ts';

/** The digest that the registry holds for a version; undefined where the tag is not there, or nothing is built. */
export async function pushedDigest(component: TerraformConfig, version: string, io: Io): Promise<string | undefined> {
  const reference = referenceOf(component, version);
  return reference === undefined ? undefined : io.registry.digest(parseImageName(reference), version, io.signal);
}
