/** What the config file says of an ECS service. */
import * as z from 'zod';
import {imagesSetting, pinSetting} from '../aws/settings.ts';
import {common, duration} from '../settings.ts';

export const ecsServiceConfig = z.strictObject({
  kind: z.literal('ecs-service'),
  ...common,
  cluster: z.string().min(1),
  service: z.string().min(1),
  images: imagesSetting,
  pin: pinSetting,
  verify: z.strictObject({within: duration}).default({within: 15 * 60_000}),
});
export type Config = z.infer<typeof ecsServiceConfig>;
