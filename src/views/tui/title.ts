/** The title of the terminal's window: where the release stands, for whoever looks at another one. */
import {clean, truncate} from '../text.ts';
import {isAsking} from './state/form.ts';
import {phaseReached} from './state/mode.ts';
import type {Model} from './state/model.ts';
import {glyphs, toAscii} from './text/glyphs.ts';
import {isBadOutcome} from './text/words.ts';

const longest = 80;

/** `pass 1.14.0 → production: apply`, with a `?` before it where somebody has to answer. */
export function titleOf({form, run, asks, logins, ...model}: Model): string {
  const application = run.started?.application ?? form?.application ?? 'deploy-wizard';
  const version = run.started?.version ?? form?.state.answers.version;
  const environment = run.started?.environment ?? form?.state.answers.environment;
  const what = [application, version, ...(environment === undefined ? [] : [glyphs.arrow, environment])]
    .filter(Boolean)
    .join(' ');
  if (run.finished !== undefined) {
    const {outcome} = run.finished;
    return `${isBadOutcome(outcome) ? glyphs.failed : glyphs.done} ${what}: ${outcome}`;
  }
  if (asks.length > 0 || logins.length > 0) return `${glyphs.asked} ${what}`;
  const phase = isAsking(form) ? undefined : phaseReached({form, run, asks, logins, ...model});
  return phase === undefined ? what : `${what}: ${phase}`;
}

export interface Title {
  show(text: string): void;
  /** The title that was there before, where the terminal keeps it; what is shown later is shown again. */
  restore(): void;
}

/** Consoles without windows take the sequence for text. */
const withoutTitles: ReadonlySet<string | undefined> = new Set(['linux', 'dumb']);

export function createTitle(
  write: (text: string) => void,
  env: Readonly<Record<string, string | undefined>>,
  ascii: boolean,
): Title {
  if (withoutTitles.has(env['TERM'])) return {show: () => {}, restore: () => {}};
  let shown: string | undefined;
  return {
    show(text) {
      const plain = truncate(clean(ascii ? toAscii(text) : text), longest);
      if (plain === shown) return;
      // The terminal puts the title that it has on a stack (xterm's window operation 22), and takes it from there (23).
      write(`${shown === undefined ? '\u001B[22;0t' : ''}\u001B]2;${plain}\u0007`);
      shown = plain;
    },
    restore() {
      if (shown !== undefined) write('\u001B[23;0t');
      shown = undefined;
    },
  };
}
