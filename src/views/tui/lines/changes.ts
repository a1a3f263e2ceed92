/** What a plan would do, in lines: one change, the totals, the counts. */
import type {AnyComponentPlan, Change, Detail, Plan} from '../../../release/model.ts';
import {type Flag, isNoop, type Risk, risks} from '../../../release/words.ts';
import {clean, truncateMiddle} from '../../text.ts';
import {glyphs} from '../text/glyphs.ts';
import {
  accent,
  blank,
  bold,
  cell,
  dim,
  gap,
  type Line,
  line,
  paragraph,
  span,
  type Style,
  widest,
  widthOf,
} from '../text/line.ts';
import {count, kindWord, riskStyle} from '../text/words.ts';

const flagWords: Readonly<Record<Flag, string>> = {
  downgrade: 'lower than what is there now',
  'overwrite-tag': 'the tag is there already and would be overwritten',
  republish: 'this has been published before',
  unlisted: "not in the component's allowChanges",
};

/** What stands above the changes of a component: `service`, `Terraform, 0.7.1 → 0.7.2`. */
export function planHead(plan: AnyComponentPlan): readonly Line[] {
  const versions = plan.from === undefined ? plan.to : `${plan.from} ${glyphs.arrow} ${plan.to}`;
  const noop = isNoop(plan) ? [line('Nothing to do.', dim), blank] : [];
  return [line(plan.component, bold), line(`${kindWord(plan.kind)}, ${versions}`, dim), blank, ...noop];
}

const riskColumn = 9;

export type Fold = 'open' | 'folded' | 'none';

const foldMarks: Readonly<Record<Fold, string>> = {open: glyphs.opened, folded: glyphs.pointer, none: ''};

/**
 * One change: attributes old → new, what is long on lines of its own; folded its first line alone.
 *
 *     ▾ outage   aws_instance.default is destroyed, then created
 *                unlisted: not in the component's allowChanges
 *         ami         ami-1 → ami-2
 *         user_data   hidden (sensitive)
 */
export function oneChange(change: Change, width: number, fold: Fold, isSelected: boolean): readonly Line[] {
  const mark = cell(foldMarks[fold], 2, isSelected ? accent : dim);
  const badge = [mark, cell(change.risk, riskColumn, riskStyle(change.risk))];
  const names = widest(
    change.details.map(detail => detail.name),
    Math.floor(width / 3),
  );
  const style: Style = {...(change.risk === 'none' && dim), ...(isSelected && {bold: true})};
  const summary = fold === 'folded' ? `${change.summary} (${count(change.details.length, 'attribute')})` : change.summary;
  const details = fold === 'folded' ? [] : change.details;
  return [
    ...paragraph(summary, width, style, badge),
    ...change.flags.flatMap(flag => paragraph(`${flag}: ${flagWords[flag]}`, width, riskStyle(flag), [gap(2 + riskColumn)])),
    ...details.flatMap(detail => oneDetail(detail, names, width)),
  ];
}

/** One attribute: on the line of its name, on a line below it, or old and new each on its own, as there is room. */
function oneDetail(detail: Detail, names: number, width: number): readonly Line[] {
  const {before, after} = detail;
  const name = [gap(2), cell(detail.name, names, dim), gap(2)];
  if (detail.sensitive) return [[...name, span('hidden (sensitive)', dim)]];
  const short = oldToNew(before, after);
  if (fits(detail.name, names) && widthOf([...name, ...short]) <= width) return [[...name, ...short]];
  const below: readonly Line[] = [
    [gap(4), ...short],
    [gap(4), ...(before === null || after === null ? short : oldToNew(...withoutShared(before, after)))],
  ];
  const fitting = below.find(row => widthOf(row) <= width);
  const full = [
    ...(before === null ? [] : whole(before, width, dim, [gap(4), span('- ', dim)])),
    ...(after === null ? [] : whole(after, width, {}, [gap(4), span('+ ')])),
  ];
  return [[gap(2), span(detail.name, dim)], ...(fitting === undefined ? full : [fitting])];
}

/** A text on as many lines as it takes; an image's name on one, with its tag whatever else has to go. */
function whole(text: string, width: number, style: Style, head: Line): readonly Line[] {
  const isImage = /^[^\s/]+\/[^\s]+[:@][^\s/]+$/.test(text);
  return paragraph(isImage ? truncateMiddle(clean(text), width - widthOf(head)) : text, width, style, head);
}

/** What was not there, or is not known, is left out. */
function oldToNew(before: string | null, after: string | null): Line {
  return [...(before === null ? [] : [span(`${before} ${glyphs.arrow} `, dim)]), span(after ?? 'none')];
}

function fits(text: string, width: number): boolean {
  return widthOf([span(text)]) <= width;
}

/** Both without the path that they share: `…/core:1.13.2`, `…/core:1.14.0`. What differs is never left out. */
function withoutShared(before: string, after: string): readonly [string, string] {
  let length = 0;
  while (length < Math.min(before.length, after.length) && before[length] === after[length]) length += 1;
  const path = before.lastIndexOf('/', length - 1);
  return path <= 0 ? [before, after] : [`${glyphs.ellipsis}${before.slice(path)}`, `${glyphs.ellipsis}${after.slice(path)}`];
}

interface RiskCount {
  readonly risk: Risk;
  readonly changes: number;
  readonly components: readonly string[];
}

/** How many changes of each risk, worst first; what changes nothing is not counted. */
export function riskCounts(plan: Plan): readonly RiskCount[] {
  const ofRisk = (risk: Risk): RiskCount => {
    const having = plan.components.map(({component, changes}) => ({
      component,
      changes: changes.filter(change => change.risk === risk).length,
    }));
    return {
      risk,
      changes: having.reduce((sum, {changes}) => sum + changes, 0),
      components: having.filter(({changes}) => changes > 0).map(({component}) => component),
    };
  };
  return risks
    .toReversed()
    .filter(risk => risk !== 'none')
    .map(ofRisk)
    .filter(({changes}) => changes > 0);
}

/** The flags of a plan, each with the components that have it. */
export function flagsOf(plan: Plan): readonly (readonly [Flag, readonly string[]])[] {
  const found = new Map<Flag, Set<string>>();
  for (const {component, changes} of plan.components) {
    for (const flag of changes.flatMap(change => change.flags)) {
      found.set(flag, (found.get(flag) ?? new Set()).add(component));
    }
  }
  return [...found].map(([flag, components]) => [flag, [...components]] as const);
}

/** How long an outage is expected to be (`~2 m`), as the changes themselves say; undefined where nobody knows. */
function forecastOf({components}: Plan): string | undefined {
  const said = components.flatMap(({changes}) =>
    changes.flatMap(({risk, details}) => (risk === 'outage' ? details.filter(({name}) => name === 'outage') : [])),
  );
  return said.map(({after}) => /^~[^,]+/.exec(after ?? '')?.[0]).find(text => text !== undefined);
}

/** `3 update, 1 outage (~2 m)`, or that there is nothing to do. */
export function totalLine(plan: Plan): Line {
  const counts = riskCounts(plan).toReversed();
  if (counts.length === 0) return line('nothing to do', dim);
  const forecast = forecastOf(plan);
  const words = (risk: Risk) => (risk === 'outage' && forecast !== undefined ? `${risk} (${forecast})` : risk);
  return counts.flatMap(({risk, changes}, index) => [
    span(index === 0 ? '' : ', '),
    span(`${changes} ${words(risk)}`, riskStyle(risk)),
  ]);
}
