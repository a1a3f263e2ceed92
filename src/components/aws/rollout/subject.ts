/** What the claims about a rollout are about. */
import * as z from 'zod';
import type {Io as WholeIo} from '../../io.ts';
import {containerImage} from '../task-definition.ts';

export const rolloutSubject = z.object({
  /** `rollout`: the service runs the revision, and nothing else; `digests`: its tasks run the very images. */
  is: z.enum(['rollout', 'digests']),
  cluster: z.string(),
  service: z.string(),
  /** The revision that was there before. */
  from: z.string(),
  taskDefinition: z.string(),
  images: z.array(containerImage),
  /** The newest deployment (`ecs-svc/…`) when ours was asked for: not ours, even where it is of the same revision. */
  replaced: z.string().nullable(),
  /** When ours was asked for, in milliseconds since the epoch by AWS's clock. Null: nothing was asked for. */
  since: z.number().nullable(),
  /** ARN of the service deployment that ECS was asked to take back, where that is how the revision gets there. */
  takenBack: z.string().nullable(),
});
export type Rollout = z.infer<typeof rolloutSubject>;

/** What of the world a look at a rollout needs. */
export interface Io extends Pick<WholeIo, 'log' | 'progress'> {
  readonly aws: Pick<WholeIo['aws'], 'ecs' | 'ecr' | 'elb' | 'logs'>;
  readonly registry: Pick<WholeIo['registry'], 'platforms'>;
}
