type Clean = () => Promise<void> | void;

/** Does something, and then all that it has said is to be cleaned up, last first. */
export async function cleanly<T>(work: (finished: (clean: Clean) => void) => Promise<T>): Promise<T> {
  const loose: Clean[] = [];
  try {
    return await work(clean => void loose.push(clean));
  } finally {
    for (const clean of loose.toReversed()) await clean();
  }
}
