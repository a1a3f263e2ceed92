import type {Scene} from '../scene.ts';
import {componentName} from '../state/rows.ts';
import {glyphs} from '../text/glyphs.ts';
import {bold, cut, dim, gap, type Line, line, marked, paragraph, span, spread} from '../text/line.ts';
import {count} from '../text/words.ts';

export interface LogWindow {
  readonly lines: readonly string[];
  /** Counted from the first line that the job wrote: the oldest that is kept, the one after the last shown, all. */
  readonly first: number;
  readonly end: number;
  readonly total: number;
}

/** The lines of the log pane: the newest ones while following, else those before `end`. Sampled from the tap, not reduced. */
export function logWindow({model, height}: Scene): LogWindow | undefined {
  const {log, logs} = model;
  if (log === undefined || logs === undefined) return undefined;
  const room = Math.max(1, height - 1);
  const total = logs.total(log.job);
  const kept = logs.tail(log.job, total);
  const first = total - kept.length;
  const end = Math.min(total, Math.max(log.end ?? total, first + Math.min(room, kept.length)));
  return {lines: kept.slice(Math.max(0, end - room - first), end - first), first, end, total};
}

/** The lines that hold what is looked for, of those that are kept; counted like the window. */
export function logHits({model: {log, logs}}: Pick<Scene, 'model'>): readonly number[] {
  if (log === undefined || logs === undefined || log.search === '') return [];
  const total = logs.total(log.job);
  const kept = logs.tail(log.job, total);
  const wanted = log.search.toLowerCase();
  return kept.flatMap((line, index) => (line.toLowerCase().includes(wanted) ? [total - kept.length + index] : []));
}

/**
 * The log of one job, over the whole screen.
 *
 *     service · build  /home/…/logs/service.build.log                   paused: 42 newer lines, G follows
 *     #8 [2/4] COPY . /app
 *     #8 DONE 0.4s
 */
export function logLines(scene: Scene): readonly Line[] {
  const {model, width} = scene;
  const window = logWindow(scene);
  const job = model.log && model.run.jobs.get(model.log.job)?.job;
  const name = job === undefined ? '' : `${componentName(job.component)} ${glyphs.dot} ${job.phase}`;
  if (window === undefined || window.total === 0) return [line(name, bold), line('Nothing has been written yet.', dim)];
  const path = model.logs?.path(model.log?.job ?? '');
  const left = [span(name, bold), ...(path === undefined ? [] : [gap(2), span(path, dim)])];
  return [spread(left, logState(scene, window), width), ...rowsOf(scene, window)];
}

function logState(scene: Scene, {total, end}: LogWindow): Line {
  const {log} = scene.model;
  const newer = total - end;
  if (log?.copied) return line('path copied', {colour: 'green'});
  if (log !== undefined && log.search !== '') {
    const hits = logHits(scene);
    const at = log.hit === undefined ? '' : `${hits.indexOf(log.hit) + 1} of `;
    return line(hits.length === 0 ? 'nothing found' : `"${log.search}" ${at}${hits.length}`, {colour: 'cyan'});
  }
  const state = log?.end === undefined ? 'following' : `paused: ${count(newer, 'newer line')}, G follows`;
  return line(state, {colour: newer > 0 ? 'yellow' : 'cyan'});
}

/** The lines of the window, as they are looked at: with their times, wrapped, what is looked for marked. */
function rowsOf({model, width, height}: Scene, {lines, first, end, total}: LogWindow): readonly Line[] {
  const {log, logs, logLook} = model;
  const times = logLook.times && log !== undefined ? (logs?.times(log.job, total) ?? []) : [];
  const from = end - lines.length;
  const rows = lines.map((row, index) => {
    const at = times[from - first + index];
    const head = at === undefined ? [] : [span(`${new Date(at).toISOString().slice(11, 19)} `, dim)];
    return logLook.wrap ? paragraph(row, width, {}, head) : [[...head, span(row)]];
  });
  return rows
    .flat()
    .slice(-Math.max(1, height - 1))
    .map(row => marked(row, log?.search ?? ''));
}

/** The end of a job's log, below its details. */
export function logTail({model, width}: Scene, job: string, height: number): readonly Line[] {
  if (height <= 0) return [];
  return (model.logs?.tail(job, height) ?? []).map(row => cut([span(`${glyphs.divider} `, dim), span(row, dim)], width));
}
