/** What a screen gets to draw itself from: the model, the room it has, the moment. */
import type {Model} from './state/model.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Now, and the frame of everything that spins. */
export interface Moment {
  readonly now: number;
  readonly frame: number;
}

export interface Scene {
  readonly model: Model;
  readonly moment: Moment;
  /** The room of the screen itself, between the rail and the footer. */
  readonly width: number;
  readonly height: number;
}

/** Below this a table cannot be read, and a question must not be answered unread. */
export const smallest: Size = {columns: 60, rows: 15};

export function isTooSmall({columns, rows}: Size): boolean {
  return columns < smallest.columns || rows < smallest.rows;
}
