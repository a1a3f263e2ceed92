/** `test` with PASS at hand: `start` puts it up, and it is gone when the test is over. Such tests may run side by side. */
import {test as base} from 'vitest';
import {type Pass, type PassOptions, startPass} from './pass.ts';

export const test = base.extend<{start: (options?: PassOptions) => Promise<Pass>}>({
  start: async ({onTestFinished}, use) => {
    await use(options => startPass(options, onTestFinished));
  },
});
