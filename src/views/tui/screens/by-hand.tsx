import {scrollableOf, topOf} from '../lines/panes.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {blank, bold, dim, line, scrolled, spread} from '../text/line.ts';

/**
 *     deposit-services by hand                                                              copied
 *
 *     What to do
 *       aws ecs describe-services --cluster pass --services deposit-services
 */
export function ByHandScreen({scene}: {readonly scene: Scene}) {
  const {model, width} = scene;
  const text = scrollableOf(scene);
  const {component = '', copied = false} = model.byHand ?? {};
  const state = copied ? line('copied', {colour: 'green'}) : line('nothing of it is done for you', dim);
  return (
    <Lines
      width={width}
      lines={[
        spread(line(`${component} by hand`, bold), state, width),
        blank,
        ...scrolled(text.lines, topOf(model, text), text.height),
      ]}
    />
  );
}
