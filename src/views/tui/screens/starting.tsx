import {spinnerSpan} from '../lines/states.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {glyphs} from '../text/glyphs.ts';
import {dim, span} from '../text/line.ts';

/** Between the form and the first thing heard of the run: `⠹ starting…` */
export function StartingScreen({scene}: {readonly scene: Scene}) {
  return <Lines width={scene.width} lines={[[spinnerSpan(scene.moment), span(`starting${glyphs.ellipsis}`, dim)]]} />;
}
