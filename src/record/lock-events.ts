/** What is told of a lock: who has it, and what was done to it outside of the usual taking and giving back. */
import * as z from 'zod';

/** Raised when a reader of the last version would misread a line. */
export const lockSchema = 1;

/** Who has a lock, and what for. */
export const owner = z.object({
  user: z.string(),
  host: z.string(),
  pid: z.number(),
  /** Tells the process from a later one with the same pid. */
  startTime: z.string().optional(),
  /** Which processes it counts among: in a container, pids are others than outside. */
  pids: z.string().optional(),
  /** The AWS identity, where it is known. */
  identity: z.string().optional(),
  /** What it is for: a version, a command. */
  work: z.string(),
  /** The run that has it; only that one may go on with what it left in the middle. */
  run: z.string().optional(),
  reason: z.string().optional(),
  /** ISO 8601, by the owner's own clock: for people only. */
  since: z.string(),
});
export type Owner = z.infer<typeof owner>;

const common = {schema: z.literal(lockSchema), by: owner};

export const lockEvent = z.discriminatedUnion('type', [
  /** Somebody froze the environment. */
  z.object({type: z.literal('lock.frozen'), ...common}),
  /** Somebody gave back a lock by hand: their own freeze, or another's lock. `of` is whose it was; absent: nobody could tell. */
  z.object({type: z.literal('lock.released'), ...common, of: owner.optional()}),
  /** A run took a lock whose owner was gone, or whose lease had expired. */
  z.object({type: z.literal('lock.taken over'), ...common, of: owner}),
]);
export type LockEvent = z.infer<typeof lockEvent>;
