/** A turn of the event loop later, pollers that woke together have all asked. */
const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve));

/**
 * Gathers look-ups of the same moment into few calls: sixty components that poll the same cluster ask six
 * times, not sixty. Results are shared within the moment only (`moment`: until it is over); nothing is cached.
 */
export function batched<T>(
  most: number,
  /** An answer may still be on its way, or fail, for one name alone. */
  fetch: (group: string, names: readonly string[]) => Promise<readonly (T | undefined | Promise<T>)[]>,
  moment: () => Promise<void> = nextTurn,
): (group: string, name: string) => Promise<T | undefined> {
  interface Waiting {
    readonly name: string;
    resolve(value: T | undefined | Promise<T>): void;
    reject(error: unknown): void;
  }
  const waiting = new Map<string, Waiting[]>();

  const flush = (group: string) => {
    const all = waiting.get(group) ?? [];
    waiting.delete(group);
    const names = [...new Set(all.map(({name}) => name))];
    for (let start = 0; start < names.length; start += most) {
      const part = names.slice(start, start + most);
      const mine = all.filter(({name}) => part.includes(name));
      fetch(group, part).then(
        found => mine.forEach(({name, resolve}) => resolve(found[part.indexOf(name)])),
        (error: unknown) => mine.forEach(({reject}) => reject(error)),
      );
    }
  };

  return (group, name) =>
    new Promise((resolve, reject) => {
      const queue = waiting.get(group);
      if (queue) queue.push({name, resolve, reject});
      else {
        waiting.set(group, [{name, resolve, reject}]);
        void moment().then(() => flush(group));
      }
    });
}
