/** A Batch job that rules, schedules or state machines submit: a new revision of its job definition, and every place that pins an old one moved to it. */
import {jobDefinitions} from './aws/definitions.ts';
import {loaderKind} from './loaders/kind.ts';
import {loaderOf} from './loaders/loader.ts';
import {batchJobDefinitionConfig} from './loaders/settings.ts';

export const batchJobDefinition = loaderKind('batch-job-definition', batchJobDefinitionConfig, component =>
  loaderOf(component, component.jobDefinition, jobDefinitions),
);
