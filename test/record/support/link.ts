/** The event that was recorded: without what the chain adds to it. */
export function withoutLink<T extends {seq: number; at: string; prev: string}>(event: T): Omit<T, 'seq' | 'at' | 'prev'> {
  const {seq: _seq, at: _at, prev: _prev, ...rest} = event;
  return rest;
}
