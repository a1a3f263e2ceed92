import {
  type AnyComponentPlan,
  type Change,
  type Detail,
  type Flag,
  isNoop,
  type Plan,
  type Risk,
  risks,
} from '../../../release/model.ts';
import {glyphs} from '../text/glyphs.ts';
import {blank, bold, cell, dim, gap, type Line, line, paragraph, span, widest, widthOf} from '../text/line.ts';
import {kindWord, riskStyle} from '../text/words.ts';

const flagWords: Readonly<Record<Flag, string>> = {
  downgrade: 'lower than what is there now',
  'overwrite-tag': 'the tag is there already and would be overwritten',
  republish: 'this has been published before',
  unlisted: "not in the component's allowChanges",
};

/**
 * What one component's plan would do: worst risk first, attributes old → new, what is long on lines of its own.
 *
 *     service  Terraform  0.7.1 → 0.7.2
 *
 *     outage   aws_instance.default is destroyed, then created
 *              unlisted: not in the component's allowChanges
 *       ami         ami-1 → ami-2
 *       user_data   hidden (sensitive)
 *
 *     The service will be down, about 2 min.
 */
export function changeLines(plan: AnyComponentPlan, width: number): readonly Line[] {
  const versions = plan.from === undefined ? plan.to : `${plan.from} ${glyphs.arrow} ${plan.to}`;
  const title = [span(plan.component, bold), span(`  ${kindWord(plan.kind)}  ${versions}`, dim)];
  const changes = plan.changes.toSorted((a, b) => risks.indexOf(b.risk) - risks.indexOf(a.risk));
  return [
    title,
    blank,
    ...(isNoop(plan) ? [line('Nothing to do.', dim), blank] : []),
    ...changes.flatMap(change => [...oneChange(change, width), blank]),
    ...plan.notes.flatMap(note => paragraph(note, width)),
  ];
}

const riskColumn = 9;

function oneChange(change: Change, width: number): readonly Line[] {
  const badge = [cell(change.risk, riskColumn, riskStyle(change.risk))];
  const names = widest(
    change.details.map(detail => detail.name),
    Math.floor(width / 3),
  );
  return [
    ...paragraph(change.summary, width, change.risk === 'none' ? dim : {}, badge),
    ...change.flags.flatMap(flag => paragraph(`${flag}: ${flagWords[flag]}`, width, riskStyle(flag), [gap(riskColumn)])),
    ...change.details.flatMap(detail => oneDetail(detail, names, width)),
  ];
}

function oneDetail(detail: Detail, names: number, width: number): readonly Line[] {
  const name = [gap(2), cell(detail.name, names, dim), gap(2)];
  if (detail.sensitive) return [[...name, span('hidden (sensitive)', dim)]];
  const before = detail.before ?? 'none';
  const after = detail.after ?? 'none';
  const short = [...name, span(`${before} ${glyphs.arrow} `, dim), span(after)];
  if (widthOf(short) <= width) return [short];
  return [
    [gap(2), span(detail.name, dim)],
    ...paragraph(before, width, dim, [gap(4), span('- ', dim)]),
    ...paragraph(after, width, {}, [gap(4), span('+ ')]),
  ];
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

/** `3 update, 1 outage`, or that there is nothing to do. */
export function totalLine(plan: Plan): Line {
  const counts = riskCounts(plan).toReversed();
  if (counts.length === 0) return line('nothing to do', dim);
  return counts.flatMap(({risk, changes}, index) => [span(index === 0 ? '' : ', '), span(`${changes} ${risk}`, riskStyle(risk))]);
}
