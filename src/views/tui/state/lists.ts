/** The lists that a cursor moves in: their rows by id, and which one is selected. */
import type {Question} from '../../../release/events.ts';
import type {AnyComponentPlan} from '../../../release/model.ts';
import {arranged, lookOf, offersOf, typedVersion} from './form.ts';
import type {ListName, Model} from './model.ts';
import {keyOf, shownChanges, shownPlans} from './review.ts';
import {boardRows, type Row, workRows} from './rows.ts';

export function rowIds(model: Model, list: ListName): readonly string[] {
  const {form} = model;
  switch (list) {
    case 'environments':
      return form?.environments.map(environment => environment.name) ?? [];
    case 'versions':
      return form === undefined ? [] : [...offersOf(lookOf(form)).map(offer => offer.version), typedVersion];
    case 'components':
      return form === undefined ? [] : arranged(form).map(({card}) => card.id);
    case 'jobs':
      return workRows(model).map(row => row.id);
    case 'changes':
      return shownPlans(model).map(({component}) => component);
    case 'resources': {
      const plan = planHere(model);
      return plan === undefined ? [] : shownChanges(plan, model.review).map(change => keyOf(plan.component, change));
    }
    case 'board':
      return boardRows(model).map(row => row.id);
  }
}

/** The selected row: the one chosen, while it is there; else the one that most likely matters. */
export function selectedId(model: Model, list: ListName): string | undefined {
  const ids = rowIds(model, list);
  const chosen = model.cursor[list];
  if (chosen !== undefined && ids.includes(chosen)) return chosen;
  if (list === 'jobs') return mattering(workRows(model));
  if (list === 'board') return mattering(boardRows(model));
  if (list === 'environments') return model.form?.state.answers.environment ?? ids[0];
  return ids[0];
}

/** The component whose changes are read. */
export function planHere(model: Model): AnyComponentPlan | undefined {
  const selected = selectedId(model, 'changes');
  return shownPlans(model).find(({component}) => component === selected);
}

/** Without a choice: what asks, else what runs, else what failed, else what ended last. */
function mattering(rows: readonly Row[]): string | undefined {
  const first = (is: Row['is']): Row | undefined => rows.find(row => row.is === is);
  const row =
    rows.find(row => row.ask !== undefined) ?? first('running') ?? first('failed') ?? rows.findLast(row => row.job) ?? rows[0];
  return row?.id;
}

/** The row that is `by` rows from the selected one; the ends are ends. */
export function neighbour(model: Model, list: ListName, by: number): string | undefined {
  const ids = rowIds(model, list);
  const at = ids.indexOf(selectedId(model, list) ?? '');
  return ids[Math.max(0, Math.min(ids.length - 1, at + by))];
}

export function selectedRow(model: Model, list: 'jobs' | 'board'): Row | undefined {
  const rows = list === 'jobs' ? workRows(model) : boardRows(model);
  const id = selectedId(model, list);
  return rows.find(row => row.id === id);
}

/** The question that keys answer now: the selected row's own, or one that is about no row. */
export function questionHere(model: Model, list: 'jobs' | 'board' | undefined): Question | undefined {
  if (list === undefined) return model.asks[0];
  return selectedRow(model, list)?.ask ?? model.asks.find(ask => !('job' in ask));
}
