/** What is recorded of an ECS service, and what a plan of one carries. */
import * as z from 'zod';
import {containerImage, revisionPlan} from '../aws/task-definition.ts';

export const state = z.object({
  taskDefinition: z.string(),
  desired: z.number(),
  /** What ran, by digest. Records of older versions lack it. */
  images: z.array(containerImage).default([]),
});
export type State = z.infer<typeof state>;

export const payload = z.object({
  cluster: z.string(),
  service: z.string(),
  /** The revision that runs now. */
  from: z.string(),
  /** The newest deployment now (`ecs-svc/…`): whoever deploys meanwhile makes another. Records of older versions lack it. */
  newest: z.string().nullable().default(null),
  /** What is to be registered; null where an existing revision is to run. */
  register: revisionPlan.nullable(),
  /** The existing revision that is to run; null where one is registered first. */
  existing: z.string().nullable(),
  images: z.array(containerImage),
  /** The revision is there already, and is to be deployed once more. */
  anew: z.boolean().default(false),
  /** ARN of the service deployment in flight that ECS is to take back, where that leads to the same. */
  stop: z.string().nullable().default(null),
});
export type Payload = z.infer<typeof payload>;
