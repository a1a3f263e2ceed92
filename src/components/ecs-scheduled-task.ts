/** A task that rules, schedules or state machines start: a new revision of its family, and every place that pins an old one moved to it. */
import {taskDefinitions} from './aws/definitions.ts';
import {loaderKind} from './loaders/kind.ts';
import {loaderOf} from './loaders/loader.ts';
import {ecsScheduledTaskConfig} from './loaders/settings.ts';

export const ecsScheduledTask = loaderKind('ecs-scheduled-task', ecsScheduledTaskConfig, component =>
  loaderOf(component, component.family, taskDefinitions),
);
