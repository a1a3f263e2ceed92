import type {Instance} from 'ink';
import type {ReactNode} from 'react';

/**
 * Draws everything anew in a terminal of another size. Ink's own answer to a resize draws the tree as it was, too high
 * or too wide for a moment, and then only what has changed since: what the terminal has moved about stays as a ghost
 * (test/views/tui/size.test.ts saw both with `useWindowSize`). So the screen is cleared, and the tree has its new size,
 * before Ink looks.
 */
export function redraw(app: Instance, view: ReactNode, stdout: NodeJS.WriteStream): void {
  stdout.write('\u001B[2J\u001B[H');
  app.clear();
  app.rerender(view);
}
