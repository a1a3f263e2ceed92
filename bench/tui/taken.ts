/** What the view took while it was measured. */
import {z} from 'zod';

export const taken = z.object({
  /** Of one core, all threads together. */
  share: z.number(),
  /** Bytes in use after a collection, every ten seconds. */
  heaps: z.array(z.number()),
});
export type Taken = z.infer<typeof taken>;
