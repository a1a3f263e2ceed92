import {useIsScreenReaderEnabled} from 'ink';
import type {Question} from '../../../release/events.ts';
import {currentQuestion} from '../keys/run.ts';
import {tableHeights} from '../lines/panes.ts';
import {tableLines} from '../lines/table.ts';
import {Lines} from '../parts/lines.tsx';
import {RowDetails} from '../parts/row-details.tsx';
import type {Scene} from '../scene.ts';
import {selectedId} from '../state/lists.ts';
import {componentName, workRows} from '../state/rows.ts';
import {around, blank, bold, cell, dim, gap, type Line, line, paragraph, widest} from '../text/line.ts';

/**
 * Bump, build, push and plan: one row a job, the selected one's log under it; or what the next phase would do.
 *
 *     ✔ bumped     service     0.7.1 → 0.7.2 in dmsa/__init__.py                          00:00
 *     ⠹ building   service     ███░░░░░░░ 3/9   COPY . /app                               00:12
 *
 *     service · build
 *     │ #8 [3/9] COPY . /app
 */
export function WorkScreen({scene}: {readonly scene: Scene}) {
  const {model, width, height, moment} = scene;
  const rows = workRows(model);
  const selected = selectedId(model, 'jobs');
  const {table, details} = tableHeights(rows.length, height);
  const at = rows.findIndex(row => row.id === selected);
  const question = currentQuestion(model);
  // What is read aloud must not change by itself: the changes of the rows are said one by one.
  const isReader = useIsScreenReaderEnabled();
  return (
    <>
      {!isReader && (
        <Lines
          width={width}
          lines={[...around(tableLines(rows, selected, width, moment), at, table), ...(rows.length > 0 ? [blank] : [])]}
        />
      )}
      {question?.about === 'start' ? (
        <Lines width={width} lines={around(startLines(question, width), 0, details)} />
      ) : (
        <RowDetails scene={scene} row={rows[at]} height={details} />
      )}
    </>
  );
}

/** What a phase would do, before it is started. */
function startLines({phase, work}: Extract<Question, {about: 'start'}>, width: number): readonly Line[] {
  const names = widest(
    work.map(({component}) => componentName(component)),
    Math.floor(width / 3),
  );
  return [
    line(`What ${phase} does`, bold),
    ...work.flatMap(({component, text}) =>
      paragraph(text, width, {}, [gap(2), cell(componentName(component), names, dim), gap(2)]),
    ),
  ];
}
