/**
 * Equal questions of the same moment are one call: the checks of one component look at the same things side by side, and one after
 * another. Answers are kept as long as the caller says, which is not at all unless told; failures never.
 */
export interface Together<Args extends readonly unknown[], T> {
  /** The answer to the same question that is on its way or still fresh, or that to a new one. */
  ask(...args: Args): Promise<T>;
  /** Something was changed by us: whoever asks from now on gets no answer to what was asked before. */
  changed(): void;
}

interface Freshness {
  /** Milliseconds from the question on. */
  readonly lasts: number;
  /** Milliseconds from any moment on; may jump. */
  now(): number;
}

/** `Args` are compared as JSON. */
export function together<Args extends readonly unknown[], T>(
  call: (...args: Args) => Promise<T>,
  {lasts, now}: Freshness = {lasts: 0, now: () => 0},
): Together<Args, T> {
  interface Asked {
    readonly at: number;
    readonly answer: Promise<T>;
    underway: boolean;
  }
  const known = new Map<string, Asked>();
  const isFresh = ({at, underway}: Asked) => underway || (now() >= at && now() - at < lasts);

  return {
    ask: (...args) => {
      // What is over is forgotten, so that nothing piles up.
      for (const [key, asked] of known) if (!isFresh(asked)) known.delete(key);
      const key = JSON.stringify(args);
      const asked = known.get(key);
      if (asked !== undefined) return asked.answer;
      const mine: Asked = {at: now(), answer: call(...args), underway: true};
      known.set(key, mine);
      mine.answer.then(
        () => (mine.underway = false),
        () => known.get(key) === mine && known.delete(key),
      );
      return mine.answer;
    },
    changed: () => known.clear(),
  };
}
