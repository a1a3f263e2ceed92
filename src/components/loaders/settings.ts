/** What the config file says of loaders, of either kind. */
import * as z from 'zod';
import {imagesSetting, pinSetting} from '../aws/settings.ts';
import {common, duration} from '../settings.ts';

const ruleSetting = z.strictObject({rule: z.string().min(1).describe('Name of an EventBridge rule, or bus/name')});
const scheduleSetting = z.strictObject({
  schedule: z.string().min(1).describe('Name of a schedule in EventBridge Scheduler, or group/name'),
});
const machineSetting = z.strictObject({
  stateMachine: z.string().min(1).describe('Name or ARN of a Step Functions state machine'),
});

const targetsSetting = z
  .array(z.union([ruleSetting, scheduleSetting, machineSetting], {error: 'one of {rule}, {schedule} or {stateMachine}'}))
  .min(1)
  .describe('What starts it: every place in these that pins a revision is moved to the new one');
export type TargetSetting = z.infer<typeof targetsSetting>[number];

const usual = 15 * 60_000;

const smokeSetting = z
  .union([z.boolean(), z.strictObject({within: duration.describe('How long the run may take')})])
  .default(false)
  .transform(setting => (typeof setting === 'boolean' ? (setting ? {within: usual} : null) : setting))
  .describe('Whether one run of the new revision must succeed before it is activated; `true` gives it 15 minutes');

/** What the config of either kind has besides the name of its definition. */
export const loaderSettings = {
  ...common,
  images: imagesSetting,
  targets: targetsSetting,
  pin: pinSetting,
  smoke: smokeSetting,
};

export const batchJobDefinitionConfig = z.strictObject({
  kind: z.literal('batch-job-definition'),
  jobDefinition: z.string().min(1).describe('Name of the job definition'),
  ...loaderSettings,
});

export const ecsScheduledTaskConfig = z.strictObject({
  kind: z.literal('ecs-scheduled-task'),
  family: z.string().min(1).describe('Family of the task definition'),
  ...loaderSettings,
});
