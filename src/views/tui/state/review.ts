/** What the review shows of a plan: which risks, which changes folded, what is looked for. Pure. */
import type {AnyComponentPlan, Change, Plan} from '../../../release/model.ts';
import {grave, type Risk, risks} from '../../../release/words.ts';
import type {Model} from './model.ts';

export interface Review {
  /** By change (`keyOf`): what the operator folded or unfolded. */
  readonly folds: ReadonlyMap<string, boolean>;
  /** Only changes of this risk. */
  readonly risk: Risk | undefined;
  /** What is looked for; empty for nothing. */
  readonly search: string;
  readonly typing: boolean;
  /** Which of the places that hold it. */
  readonly hit: number;
}

export const plainReview: Review = {folds: new Map(), risk: undefined, search: '', typing: false, hit: 0};

/** A change within the whole plan. */
export function keyOf(component: string, change: Pick<Change, 'id'>): string {
  return `${component}/${change.id}`;
}

/** The risks that a plan has, worst first. */
export function risksOf(plan: Plan): readonly Risk[] {
  const there = new Set(plan.components.flatMap(({changes}) => changes.map(({risk}) => risk)));
  return risks.toReversed().filter(risk => risk !== 'none' && there.has(risk));
}

/** The components that are shown: all, or those with a change of the risk that was asked for. */
export function shownPlans({run, review}: Pick<Model, 'run' | 'review'>): readonly AnyComponentPlan[] {
  const all = run.plan?.components ?? [];
  return review.risk === undefined ? all : all.filter(({changes}) => changes.some(({risk}) => risk === review.risk));
}

/** A component's changes that are shown, worst first. */
export function shownChanges({changes}: AnyComponentPlan, {risk}: Review): readonly Change[] {
  return changes
    .filter(change => risk === undefined || change.risk === risk)
    .toSorted((a, b) => risks.indexOf(b.risk) - risks.indexOf(a.risk));
}

/** So many changes are read at a glance, with everything that they say. */
const atAGlance = 4;

/** Whether a change shows its first line alone: where there are many, those that are not grave. What is looked for is never hidden. */
export function isFolded(plan: AnyComponentPlan, change: Change, {folds, search}: Review): boolean {
  if (search !== '' || change.details.length === 0) return false;
  const chosen = folds.get(keyOf(plan.component, change));
  if (chosen !== undefined) return chosen;
  const isGrave = grave.has(change.risk) || change.flags.length > 0;
  return plan.kind === 'terraform' && plan.changes.length > atAGlance && !isGrave;
}

/** The changes of a component folded or unfolded: one of them, or all. */
export function folded(
  plan: AnyComponentPlan,
  changes: readonly Change[],
  fold: boolean,
  {folds}: Review,
): ReadonlyMap<string, boolean> {
  return new Map([...folds, ...changes.map(change => [keyOf(plan.component, change), fold] as const)]);
}
