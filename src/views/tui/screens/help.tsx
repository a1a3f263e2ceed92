import {helpLines} from '../keys/help.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {blank, bold, line} from '../text/line.ts';

/**
 *     Keys
 *
 *     ↑↓          move
 *     enter       choose
 */
export function HelpScreen({scene}: {readonly scene: Scene}) {
  return <Lines width={scene.width} lines={[line('Keys', bold), blank, ...helpLines(scene, scene.height - 2)]} />;
}
