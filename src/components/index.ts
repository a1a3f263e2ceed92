/** All kinds of components. A new kind is a new file, a case here, and its config in config/schema.ts. */
import {type Component, bind} from '../release/contract.ts';
import {batchJobDefinition} from './batch-job-definition.ts';
import {ecsScheduledTask} from './ecs-scheduled-task.ts';
import {ecsService} from './ecs-service.ts';
import type {Io} from './io.ts';
import {snsTrigger} from './sns-trigger.ts';
import {terraform} from './terraform.ts';

type KindName = (
  | typeof terraform
  | typeof ecsService
  | typeof ecsScheduledTask
  | typeof batchJobDefinition
  | typeof snsTrigger
)['kind'];

/** A component of the config, bound to its kind. `settings` have their references replaced. Throws a ZodError. */
export function bindComponent(kind: KindName, id: string, settings: unknown): Component<Io> {
  switch (kind) {
    case 'terraform':
      return bind(terraform, id, settings);
    case 'ecs-service':
      return bind(ecsService, id, settings);
    case 'ecs-scheduled-task':
      return bind(ecsScheduledTask, id, settings);
    case 'batch-job-definition':
      return bind(batchJobDefinition, id, settings);
    case 'sns-trigger':
      return bind(snsTrigger, id, settings);
  }
}
