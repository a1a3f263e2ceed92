import {Lines} from '../parts/lines.tsx';
import {type Size, smallest} from '../scene.ts';
import type {Model} from '../state/model.ts';
import {line} from '../text/line.ts';

/** `needs 60x15, has 40x12; the run goes on`. Keys wait: a question must not be answered unread. */
export function TooSmall({model, size}: {readonly model: Model; readonly size: Size}) {
  const {started, finished} = model.run;
  const goesOn = started !== undefined && finished === undefined ? '; the run goes on' : '';
  const waits = model.asks.length > 0 || model.leaving ? '; a question waits' : '';
  const text = `needs ${smallest.columns}x${smallest.rows}, has ${size.columns}x${size.rows}${waits}${goesOn}`;
  return <Lines width={size.columns} lines={[line(text, {colour: 'yellow'})]} />;
}
