import type {Progress} from '../../../release/events.ts';
import type {Phase} from '../../../release/words.ts';
import type {Moment} from '../scene.ts';
import type {Row} from '../state/rows.ts';
import {glyphs} from '../text/glyphs.ts';
import {accent, cell, dim, gap, type Line, type Span, span, spread, widest} from '../text/line.ts';
import {clockTime} from '../text/words.ts';
import {rowMark} from './states.ts';

const barWidth = 10;
const countWidth = 6;
/** `12/40 operations`, where there is room for it. */
const unitWidth = 17;
const roomForUnits = 110;
const rateWidth = 9;
const stateWidth = 13;

/** The two columns in front of a row that can be selected, and its name. */
export function pointed(name: string, width: number, isSelected: boolean): Line {
  return [
    span(isSelected ? `${glyphs.pointer} ` : '  ', accent),
    cell(name, width, isSelected ? {...accent, bold: true} : {}),
    gap(2),
  ];
}

/**
 * The run's table: one line a row, numbers in columns, the last thing heard at the end.
 *
 *     ▸ pass-core               ✔ verified     https://pass.example.edu/version answers 1.14.0     00:41
 *       deposit-services        ⠹ applying     █████░░░░░ 1/2   task 7d1f… is healthy              00:58
 *       pass-ui                 ⠹ pushing      ███░░░░░░░ 30/96  2.5 MB/s pass-ui:1.14.0           00:12
 *       journal-loader          ○ waiting      for pass-core
 */
export function tableLines(rows: readonly Row[], selected: string | undefined, width: number, moment: Moment): readonly Line[] {
  const names = widest(
    rows.map(row => row.name),
    Math.floor(width * 0.28),
  );
  return rows.map(row => {
    const state = rowMark(row.is, row.word, stateWidth, moment);
    const text = span(row.text, row.is === 'failed' ? {colour: 'red'} : dim);
    const left = [
      ...pointed(row.name, names, row.id === selected),
      state,
      gap(1),
      ...bar(row, width),
      ...rate(row, moment.now),
      text,
    ];
    return spread(left, [cell(elapsed(row, moment.now), 7, dim, 'right')], width);
  });
}

/** The bar of a running row, where what it does can be counted. */
function bar(row: Row, width: number): readonly Span[] {
  const progress = row.is === 'running' ? row.job?.progress : undefined;
  const share = shareOf(progress);
  if (progress === undefined || share === undefined) return [];
  const full = Math.round(share * barWidth);
  return [
    span(glyphs.full.repeat(full), accent),
    span(glyphs.empty.repeat(barWidth - full), dim),
    gap(1),
    width >= roomForUnits && progress.unit !== undefined
      ? cell(`${progress.done}/${progress.total} ${progress.unit}`, unitWidth)
      : cell(`${progress.done}/${progress.total}`, countWidth),
    gap(1),
  ];
}

/** How fast what is made or sent gets on, over its whole time: megabytes a second, anything else a minute. */
function rate({is, job}: Row, now: number): readonly Span[] {
  if (is !== 'running' || job?.progress?.done === undefined || !isPaced(job.job.phase)) return [];
  const {done, unit} = job.progress;
  const seconds = (now - Date.parse(job.startedAt)) / 1000;
  // Of a moment no rate can be told.
  if (seconds < 1) return [];
  const speed = unit === 'MB' ? `${(done / seconds).toFixed(1)} MB/s` : `${Math.round((done / seconds) * 60)}/min`;
  return [cell(speed, rateWidth, dim), gap(1)];
}

function isPaced(phase: Phase): boolean {
  return phase === 'build' || phase === 'push';
}

function shareOf(progress: Progress | undefined): number | undefined {
  if (progress?.done === undefined || progress.total === undefined || progress.total <= 0) return undefined;
  return Math.max(0, Math.min(1, progress.done / progress.total));
}

function elapsed(row: Row, now: number): string {
  const from = Date.parse(row.startedAt ?? '');
  const to = row.endedAt === undefined ? now : Date.parse(row.endedAt);
  return Number.isNaN(from) || Number.isNaN(to) || row.is === 'skipped' ? '' : clockTime(to - from);
}
