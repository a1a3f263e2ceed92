/** The log of one job, full screen. */

export interface LogPane {
  readonly job: string;
  /** The line after the last one shown; absent while following. */
  readonly end?: number;
  /** What is looked for; empty for nothing. */
  readonly search: string;
  readonly typing: boolean;
  /** The line that was found last, counted from the first one that the job wrote. */
  readonly hit?: number;
  /** The path was put into the clipboard. */
  readonly copied: boolean;
}

export function openedLog(job: string): LogPane {
  return {job, search: '', typing: false, copied: false};
}

/** The pane at another place: `end` undefined follows. */
export function paneAt({end: _end, ...pane}: LogPane, end: number | undefined): LogPane {
  return end === undefined ? {...pane, copied: false} : {...pane, copied: false, end};
}
