/** Settings that every component with container definitions has. */
import * as z from 'zod';

/** As the config file has it. */
export const imagesSetting = z
  .record(z.string(), z.string())
  .refine(images => Object.keys(images).length > 0, 'at least one container')
  .describe('Container name → registry/repository; the tag is the version');

/** How a revision names its images: by tag alone, or so that a tag that is moved later changes nothing. */
export const pinSetting = z
  .enum(['tag', 'digest'])
  .default('tag')
  .describe('`digest`: the new revision names repository:tag@sha256:…, so that every start runs the very image released');
export type Pinning = z.infer<typeof pinSetting>;
