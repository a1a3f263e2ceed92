/** How long something could not be reached, and how it was seen: one sign a probe, each with its own colour. */
import type {Downtime} from '../../../release/model.ts';
import {downtimeWords} from '../../words.ts';
import {dim, type Line, span, type Style} from '../text/line.ts';

const signs: Readonly<Record<string, Style>> = {'=': dim, x: {colour: 'red', bold: true}, '+': {colour: 'green'}};

/** `down 42 s  ====xxxxxx++++   = old  x nothing  + new` */
export function downtimeLines(downtime: Downtime, width: number): readonly Line[] {
  const [words = '', bar = ''] = downtimeWords(downtime).split('  ');
  const seen = bar.split(/(?<=(.))(?!\1)/).filter((_piece, index) => index % 2 === 0);
  const legend = span('   = old  x no answer  + new', dim);
  const line: Line = [span(`${words}  `), ...seen.map(piece => span(piece, signs[piece.charAt(0)] ?? dim))];
  const columns = words.length + 2 + bar.length + legend.text.length;
  return [columns <= width ? [...line, legend] : line];
}
