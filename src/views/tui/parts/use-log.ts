import {useCallback, useSyncExternalStore} from 'react';
import type {LogTap} from '../../frontend.ts';

/** Lines arrive by the thousand; nobody reads more than this many screens a second. */
const samplesPerSecond = 15;

/** Draws again when the job has written something: the tap is sampled, its lines never become state (facts/ink.md 2.5). */
export function useLog(logs: LogTap | undefined, job: string | undefined): void {
  const subscribe = useCallback(
    (onChange: () => void) => {
      if (logs === undefined || job === undefined) return () => {};
      let seen = logs.version;
      const timer = setInterval(() => {
        if (logs.version === seen) return;
        seen = logs.version;
        onChange();
      }, 1000 / samplesPerSecond);
      return () => clearInterval(timer);
    },
    [logs, job],
  );
  useSyncExternalStore(subscribe, () => (job === undefined ? 0 : (logs?.total(job) ?? 0)));
}
