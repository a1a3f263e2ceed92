/** The machine view: every event as one line of JSON. Values are the record's own, redacted before they get here. */
import type {TimedEvent} from '../release/events.ts';

export function ndjsonLine(event: TimedEvent): string {
  return JSON.stringify(event);
}
