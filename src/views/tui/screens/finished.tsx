import {scrollableOf, topOf} from '../lines/panes.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {scrolled} from '../text/line.ts';

/**
 *     ✖ failed  notification-services cannot start
 *
 *     ✔ pass-core               verified      1.13.2 → 1.14.0  https://pass.example.edu/version answers 1.14.0
 *     ✖ notification-services   failed        1.13.2 → 1.14.0  CannotPullContainerError: not found
 */
export function FinishedScreen({scene}: {readonly scene: Scene}) {
  const end = scrollableOf(scene);
  return <Lines width={scene.width} lines={scrolled(end.lines, topOf(scene.model, end), end.height)} />;
}
