import type {Command} from '../../../release/contract.ts';
import type {Question} from '../../../release/events.ts';
import type {Phase} from '../../../release/words.ts';
import type {RunState} from '../../../release/reducer.ts';
import type {Model} from '../state/model.ts';
import {componentName} from '../state/rows.ts';
import {whatStoppingMeans} from '../state/stopping.ts';
import {glyphs} from '../text/glyphs.ts';
import {bold, cell, dim, gap, type Line, line, paragraph, span, widest} from '../text/line.ts';
import {count} from '../text/words.ts';
import {flagWords} from './flags.ts';

const startWords: Readonly<Partial<Record<Phase, string>>> = {
  bump: 'It edits files of the repository. No environment is touched.',
  build: 'It works on this machine only.',
  push: 'It sends images to the registry. No environment is touched.',
};

const mark: Line = [span(`${glyphs.asked} `, {colour: 'yellow', bold: true})];

/** What is asked, in a sentence; the choices follow from the key table. */
export function questionLines(question: Question, run: RunState, width: number): readonly Line[] {
  const flags = flagWords(question, run);
  return [
    ...paragraph(questionText(question), width, bold, mark),
    ...(flags === undefined ? [] : paragraph(flags, width, dim, [gap(2)])),
  ];
}

function questionText(question: Question): string {
  switch (question.about) {
    case 'start':
      return `Start ${question.phase}? ${startWords[question.phase] ?? ''}`;
    case 'preflight':
      return `${count(question.failed.length, 'requirement is', 'requirements are')} not met. Nothing has been changed.`;
    case 'failure':
      return `${componentName(question.job.component)} ${glyphs.dot} ${question.job.phase} failed. What now?`;
    case 'unknown step':
      return `Looking cannot tell whether this happened: ${question.text}`;
    case 'approval':
      return question.again
        ? `The world has changed since: this is a new plan. ${(question.differences ?? []).join('; ')}`.trim()
        : 'This is what would be done.';
  }
}

/** Where another row waits for an answer than the selected one. */
export function elsewhereLines(question: Question, width: number): readonly Line[] {
  const who = 'job' in question ? componentName(question.job.component) : question.about;
  return paragraph(`${who} waits for an answer.`, width, {colour: 'yellow'}, mark);
}

const alreadyWords: Readonly<Record<Command['do'], string>> = {
  stop: 'It is stopping already.',
  detach: 'It is detaching already.',
  interrupt: 'It is stopping already, and was interrupted a second time.',
};

/**
 * What Ctrl-C asks while a release runs.
 *
 *     ? Stop this release?
 *       service   Terraform is interrupted once and stops after the resource it is working on; what is …
 */
export function leavingLines({run, commanded}: Model, width: number, most: number): readonly Line[] {
  const meanings = whatStoppingMeans(run);
  const names = widest(
    meanings.map(({who}) => who),
    22,
  );
  const rows = meanings.flatMap(({who, what}) => paragraph(what, width, {}, [gap(2), cell(who, names, dim), gap(2)]));
  const title = commanded === undefined ? 'Stop this release? To go on is the default.' : alreadyWords[commanded];
  const shown = rows.length > most ? [...rows.slice(0, most - 1), line(`  and ${rows.length - most + 1} more lines`, dim)] : rows;
  return [...paragraph(title, width, bold, mark), ...shown];
}
