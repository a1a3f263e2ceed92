import {jobId} from '../../../release/words.ts';
import {logTail} from '../lines/log.ts';
import {scrollableOf, topOf} from '../lines/panes.ts';
import type {Scene} from '../scene.ts';
import type {Row} from '../state/rows.ts';
import {scrolled} from '../text/line.ts';
import {Lines} from './lines.tsx';
import {useLog} from './use-log.ts';

interface Props {
  readonly scene: Scene;
  readonly row: Row | undefined;
  readonly height: number;
}

/** What is known of the selected row, then the newest lines of its log, as many as there is room for. */
export function RowDetails({scene, row, height}: Props) {
  const details = scrollableOf(scene);
  const shown = scrolled(details.lines, topOf(scene.model, details), height);
  const job = row?.job && jobId(row.job.job);
  useLog(scene.model.logs, job);
  const log = job === undefined ? [] : logTail(scene, job, height - shown.length);
  return <Lines width={scene.width} lines={[...shown, ...log]} />;
}
