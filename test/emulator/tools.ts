import {accessSync, constants} from 'node:fs';
import {delimiter, join} from 'node:path';

/**
 * Whether a test must be skipped because a program is not on the PATH; the report shows that it was.
 * In CI nothing is skipped: the test runs, and fails.
 */
export const missing = (program: string): boolean => !process.env['CI'] && !isOnPath(program);

const isOnPath = (program: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
