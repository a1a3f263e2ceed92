import {checkCounts} from '../lines/preflight.ts';
import {scrollableOf, topOf} from '../lines/panes.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {blank, bold, dim, line, scrolled, spread} from '../text/line.ts';

/**
 *     Checking what must be true before anything is done                       14 of 17, 1 failed
 *
 *     account    ✔ AWS session              333333333333 as release-manager, ends 23:41 UTC, in 87 min
 *     services   ✖ notification-services: service notification in pass
 *                  found   another deployment is in flight: 1.13.3, 1 of 2 tasks running
 *                  means   It cannot be released to as it stands.
 *                  next    Wait for it, or stop it in ECS.
 */
export function PreflightScreen({scene}: {readonly scene: Scene}) {
  const {model, width} = scene;
  const checks = scrollableOf(scene);
  const title = model.asks.length > 0 ? 'Not everything is as it must be' : 'Checking what must be true before anything is done';
  return (
    <Lines
      width={width}
      lines={[
        spread(line(title, bold), line(checkCounts(model.run), dim), width),
        blank,
        ...scrolled(checks.lines, topOf(model, checks), checks.height),
      ]}
    />
  );
}
