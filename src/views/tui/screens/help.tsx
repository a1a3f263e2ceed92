import {helpLines} from '../keys/help.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {blank, bold, line, scrolled} from '../text/line.ts';

/**
 *     Keys
 *
 *     ↑↓          move
 *     enter       choose
 */
export function HelpScreen({scene}: {readonly scene: Scene}) {
  return <Lines lines={[line('Keys', bold), blank, ...scrolled(helpLines(scene), 0, scene.height - 2)]} />;
}
