/** JSON for programs: every event as one line, and what commands answer. Values are the record's own, redacted before they get here. */
import type {TimedEvent} from '../release/events.ts';

/**
 * What JSON may hold as it is, and somebody obeys: terminals and editors C1 controls, line ends, bidi marks, overrides and
 * isolates; GitHub's runner `##[`, wherever it stands in a line.
 */
const obeyed = /[\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]|(?<=#)#(?=\[)/g;

export function ndjsonLine(event: TimedEvent): string {
  return harmless(JSON.stringify(event));
}

/** What a command answers to a program, indented; as harmless to whoever reads along. Without a line feed at its end. */
export function jsonText(value: object): string {
  return harmless(JSON.stringify(value, null, 2));
}

function harmless(text: string): string {
  return text.replace(obeyed, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
