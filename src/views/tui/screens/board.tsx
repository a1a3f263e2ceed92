import {useIsScreenReaderEnabled} from 'ink';
import {tableHeights} from '../lines/panes.ts';
import {tableLines} from '../lines/table.ts';
import {Lines} from '../parts/lines.tsx';
import {RowDetails} from '../parts/row-details.tsx';
import type {Scene} from '../scene.ts';
import {selectedId} from '../state/lists.ts';
import {boardRows} from '../state/rows.ts';
import {around, blank} from '../text/line.ts';

/**
 * Apply and verify: one row a component, what is known of the selected one under it.
 *
 *     pass-core               ✔ verified     https://pass.example.edu/version answers 1.14.0     00:41
 *   ▸ deposit-services        ⠹ verifying    █████░░░░░ 1/2   task 7d1f… is healthy              00:58
 *     journal-loader          ○ waiting      for pass-core
 *
 *     deposit-services · verify
 *     ⠹ 2 of 2 tasks run the new digest: 1 of 2
 *     │ 21:14:02 service has started 1 task
 */
export function BoardScreen({scene}: {readonly scene: Scene}) {
  const {model, width, height, moment} = scene;
  const rows = boardRows(model);
  const selected = selectedId(model, 'board');
  const {table, details} = tableHeights(rows.length, height);
  const at = rows.findIndex(row => row.id === selected);
  // What is read aloud must not change by itself: the changes of the rows are said one by one.
  const isReader = useIsScreenReaderEnabled();
  return (
    <>
      {!isReader && <Lines width={width} lines={[...around(tableLines(rows, selected, width, moment), at, table), blank]} />}
      <RowDetails scene={scene} row={rows[at]} height={details} />
    </>
  );
}
