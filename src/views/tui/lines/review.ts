/** The text of the review's right pane: a component's changes, and where in it which change is. */
import type {AnyComponentPlan, Plan} from '../../../release/model.ts';
import {columnsOf} from '../../text.ts';
import type {Scene} from '../scene.ts';
import {planHere, selectedId} from '../state/lists.ts';
import type {Model} from '../state/model.ts';
import {isFolded, keyOf, shownChanges, shownPlans} from '../state/review.ts';
import {accent, blank, dim, holds, type Line, marked, paragraph, span} from '../text/line.ts';
import {type Fold, oneChange, planHead} from './changes.ts';
import {tellWay} from './way-back.ts';

export interface ChangeText {
  readonly lines: readonly Line[];
  /** One entry a change: its first line, and the one after all that belongs to it. */
  readonly heads: readonly {readonly id: string; readonly line: number; readonly end: number; readonly fold: Fold}[];
}

/** The plan's two panes: names and badges at the left, about a third at most; a divider of three columns. */
export function reviewWidths({model, width}: Pick<Scene, 'model' | 'width'>): {readonly left: number; readonly right: number} {
  const names = (model.run.plan?.components ?? []).map(({component}) => columnsOf(component));
  const left = Math.min(12 + Math.max(9, ...names), Math.max(22, Math.floor(width * 0.4)));
  return {left, right: width - left - 3};
}

/** What is read now; undefined where no component is shown. */
export function changeTextOf({model, width}: Pick<Scene, 'model' | 'width'>): ChangeText | undefined {
  const plan = planHere(model);
  if (plan === undefined || model.run.plan === undefined) return undefined;
  const selected = model.reading === 'changes' ? selectedId(model, 'resources') : undefined;
  return changeText(plan, model.run.plan, model, reviewWidths({model, width}).right, selected);
}

/**
 *     service
 *     Terraform, 0.7.1 → 0.7.2
 *
 *     planned again, because service: main.tf has changed
 *     also destroy: aws_eip.default is destroyed
 *
 *     ▾ outage   aws_instance.default is destroyed, then created
 *       user_data   hidden (sensitive)
 *     ▸ update   aws_route53_record.name is updated in place
 *                1 attribute
 *
 *     goes down: aws_instance.default; ~2 m, last 3: 1 m 50 s, 2 m 4 s, 2 m
 *     way back: to 0.7.1, when somebody says so (revert: ask)
 */
function changeText(
  plan: AnyComponentPlan,
  {back = []}: Plan,
  {asks, review}: Pick<Model, 'asks' | 'review'>,
  width: number,
  selected: string | undefined,
): ChangeText {
  const changed = changedSince(asks, plan.component).flatMap(text => paragraph(text, width, {colour: 'yellow'}));
  const lines: Line[] = [...planHead(plan), ...changed, ...(changed.length > 0 ? [blank] : [])];
  const heads: ChangeText['heads'][number][] = [];
  for (const change of shownChanges(plan, review)) {
    const id = keyOf(plan.component, change);
    const fold = change.details.length === 0 ? 'none' : isFolded(plan, change, review) ? 'folded' : 'open';
    // What is folded stands together.
    const before = heads.at(-1);
    if (before !== undefined && (fold !== 'folded' || before.fold !== 'folded')) lines.push(blank);
    const line = lines.length;
    lines.push(...oneChange(change, width, fold, id === selected));
    heads.push({id, line, end: lines.length, fold});
  }
  lines.push(...(heads.length > 0 ? [blank] : []));
  const way = back.find(({component}) => component === plan.component);
  lines.push(
    ...plan.notes.flatMap(note => paragraph(note, width, note.startsWith('goes down:') ? {colour: 'red'} : {})),
    ...(way === undefined ? [] : paragraph(tellWay(way), width, dim, [span('way back: ', accent)])),
  );
  const last = heads.at(-1);
  // Whoever reads the last change reads what stands below it as well.
  if (last !== undefined) heads[heads.length - 1] = {...last, end: lines.length};
  return {lines: lines.map(line => marked(line, review.search)), heads};
}

/** Why it was planned again, and what is different for this component from the plan that was asked about before. */
function changedSince(asks: Model['asks'], component: string): readonly string[] {
  const question = asks.find(ask => ask.about === 'approval');
  if (question?.about !== 'approval' || !question.again) return [];
  const {because, differences = []} = question;
  const own = `${component}: `;
  return [
    ...(because === undefined ? [] : [`planned again, because ${because}`]),
    ...differences.filter(line => line.startsWith(own)).map(line => line.slice(own.length)),
  ];
}

interface Place {
  readonly component: string;
  readonly line: number;
}

/** Every line of the plan that holds what is looked for, as it stands in a pane that folds nothing. */
export function found({model, width}: Pick<Scene, 'model' | 'width'>): readonly Place[] {
  const {review, run} = model;
  const {plan} = run;
  if (review.search === '' || plan === undefined) return [];
  const {right} = reviewWidths({model, width});
  return shownPlans(model).flatMap(part =>
    changeText(part, plan, model, right, undefined).lines.flatMap((line, index) =>
      holds(line, review.search) ? [{component: part.component, line: index}] : [],
    ),
  );
}
