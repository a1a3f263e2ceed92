import {isDowngrade} from '../../../release/version.ts';
import type {ComponentCard} from '../../../release/form.ts';
import {spinnerSpan} from '../lines/states.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {type Arranged, arranged, type Form, goingAlong, lookOf, missingNeeds, presetOf} from '../state/form.ts';
import {selectedId} from '../state/lists.ts';
import {glyphs} from '../text/glyphs.ts';
import {
  accent,
  around,
  blank,
  bold,
  cell,
  dim,
  gap,
  type Line,
  line,
  paragraph,
  span,
  spread,
  type Span,
  widest,
} from '../text/line.ts';
import {kindWord} from '../text/words.ts';

/**
 *     What goes along?                                        preset services · 5 of 6 chosen
 *
 *     ▸ [x] pass-core                  SNS trigger      1.13.2 → 1.14.0
 *       [x] ├ deposit-services         ECS service      1.13.2 → 1.14.0    after pass-core
 *       [ ] └ nihms-loader             Batch job        1.14.0             already there
 *
 *     ! deposit-services needs pass-core, which is not chosen: it must be there already
 */
export function ComponentsScreen({scene}: {readonly scene: Scene}) {
  const {form} = scene.model;
  if (form === undefined) return null;
  const {width, height, moment, model} = scene;
  const {done} = lookOf(form);
  const selected = selectedId(model, 'components');
  const shown = arranged(form);
  const rows = componentRows(form, shown, selected, width);
  const filter = filterLines(form, shown.length);
  const remarks = remarksOn(form, width);
  const at = shown.findIndex(({card}) => card.id === selected);
  const waiting: readonly Line[] = done ? [] : [[spinnerSpan(moment), span(`looking at what runs there${glyphs.ellipsis}`, dim)]];
  return (
    <Lines
      width={width}
      lines={[
        spread(line('What goes along?', bold), chosenWords(form), width),
        blank,
        ...filter,
        ...around(rows, at, Math.max(1, height - 3 - remarks.length - waiting.length - filter.length)),
        ...waiting,
        blank,
        ...remarks,
      ]}
    />
  );
}

function chosenWords(form: Form): Line {
  const {cards} = lookOf(form);
  const preset = presetOf(form);
  const words = `${goingAlong(form).length} of ${cards.length} chosen`;
  return [
    ...(preset === undefined ? [] : [span('preset ', dim), span(preset, accent), span(` ${glyphs.dot} `, dim)]),
    span(words, dim),
  ];
}

/** What is looked for, where something is. */
function filterLines({filter, filtering}: Form, shown: number): readonly Line[] {
  if (!filtering && filter === '') return [];
  const caret = filtering ? [span(glyphs.caret, accent)] : [];
  const none = shown === 0 ? [span('   nothing has that in its name', {colour: 'yellow'})] : [];
  return [[span('/ ', accent), span(filter), ...caret, ...none]];
}

/** A row a component; what is there already, and what is left out, is dim. */
export function componentRows(
  form: Form,
  shown: readonly Arranged[],
  selected: string | undefined,
  width: number,
): readonly Line[] {
  const version = form.state.answers.version ?? '';
  const nameOf = ({card, branch}: Arranged): string => `${branchOf(branch)}${card.id}`;
  const names = widest(shown.map(nameOf), Math.floor(width * 0.36));
  const changes = shown.map(({card}) => change(card, version));
  const changeWidth = widest(
    changes.map(({text}) => text),
    Math.floor(width / 3),
  );
  return shown.map((row, index) => {
    const {card, branch} = row;
    const isSelected = card.id === selected;
    const isChosen = !form.without.has(card.id);
    const {text = '', isThere = false} = changes[index] ?? {};
    const quiet = isThere || !isChosen ? dim : {};
    return [
      span(isSelected ? `${glyphs.pointer} ` : '  ', accent),
      span(isChosen ? '[x] ' : '[ ] ', isChosen && !isThere ? accent : dim),
      span(branchOf(branch), dim),
      cell(card.id, names - branch.length * 2, isSelected ? {...accent, bold: true} : quiet),
      gap(2),
      ...(width < 70 ? [] : [cell(kindWord(card.kind), 16, dim)]),
      cell(text, changeWidth, quiet),
      gap(2),
      ...remark(card, version, form.without),
    ];
  });
}

/** The lines that lead from a component to what it waits for. */
function branchOf(branch: Arranged['branch']): string {
  return branch
    .map((part, index) => {
      const isLeaf = index === branch.length - 1;
      if (part === 'none') return '  ';
      if (!isLeaf) return `${glyphs.divider} `;
      return `${part === 'last' ? glyphs.lastBranch : glyphs.branch} `;
    })
    .join('');
}

function change({version: from, isBetween}: ComponentCard, to: string): {readonly text: string; readonly isThere: boolean} {
  if (from === to) return {text: to, isThere: true};
  return {text: `${from ?? (isBetween ? 'in between' : 'none')} ${glyphs.arrow} ${to}`, isThere: false};
}

/** What is special about a component; else what it waits for. */
function remark({id, version, needs, problem}: ComponentCard, to: string, without: ReadonlySet<string>): readonly Span[] {
  if (problem !== undefined) return [span(`${glyphs.failed} ${problem.what}`, {colour: 'red'})];
  const missing = without.has(id) ? [] : needs.filter(need => without.has(need));
  if (missing.length > 0) return [span(`needs ${missing.join(', ')}`, {colour: 'yellow'})];
  if (version === to) return [span('already there', dim)];
  return [
    ...(isDowngrade(version, to) ? [span('downgrade ', {colour: 'yellow'})] : []),
    ...(needs.length > 0 ? [span(`after ${needs.join(', ')}`, dim)] : []),
  ];
}

/** What stands in the way of going on, or should be known before. */
function remarksOn(form: Form, width: number): readonly Line[] {
  const mark = [span(`${glyphs.warned} `, {colour: 'yellow'})];
  if (lookOf(form).done && goingAlong(form).length === 0) {
    return paragraph('Nothing is chosen: choose at least one.', width, {colour: 'yellow'}, mark);
  }
  return missingNeeds(form).flatMap(need =>
    paragraph(`${need} is needed but not chosen: what runs there now must do.`, width, {colour: 'yellow'}, mark),
  );
}
