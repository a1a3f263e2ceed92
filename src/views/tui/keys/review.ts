/** Keys of the plan's review: its components, its changes, filter and search. */
import {riskOf} from '../../../release/words.ts';
import {type ChangeText, changeTextOf, found} from '../lines/review.ts';
import {scrollableOf, topOf} from '../lines/panes.ts';
import type {Scene} from '../scene.ts';
import {planHere, rowIds, selectedId} from '../state/lists.ts';
import {type Action, update} from '../state/model.ts';
import {folded, keyOf, risksOf, shownChanges} from '../state/review.ts';
import {type Act, type Binding, keys, type ModeKeys} from './binding.ts';
import {digits, moving, paging, toTheEnds} from './moving.ts';
import {toConfirm} from './run.ts';

const isReading = ({model}: Scene): boolean => model.reading === 'changes';

/** To another change, as much of it in sight as there is room for; through a text that has none, or no other one, line by line. */
function toChange(by: number): Act {
  return scene => {
    const {model} = scene;
    const text = changeTextOf(scene);
    const pane = scrollableOf(scene);
    if (text === undefined) return undefined;
    const at = text.heads.findIndex(({id}) => id === selectedId(model, 'resources'));
    const next = text.heads[Math.max(0, Math.min(text.heads.length - 1, at + by))];
    const top = topOf(model, pane);
    if (next === undefined || next.id === text.heads[at]?.id) {
      return {do: 'scroll', of: pane.of, top: clamped(top + by, text, pane.height)};
    }
    const scrolled: Action = {do: 'scroll', of: pane.of, top: clamped(inSight(next, top, pane.height), text, pane.height)};
    return {do: 'all', actions: [{do: 'select', list: 'resources', row: next.id}, scrolled]};
  };
}

/** The first and the last line of a pane may only say how much there is beyond. */
function inSight({line, end}: ChangeText['heads'][number], top: number, height: number): number {
  if (line <= top) return line - 1;
  return end > top + height - 1 ? Math.min(line - 1, end - height + 1) : top;
}

function clamped(top: number, {lines}: ChangeText, height: number): number {
  return Math.max(0, Math.min(top, lines.length - height));
}

const up = toChange(-1);
const down = toChange(1);
const first = toChange(-Infinity);
const last = toChange(Infinity);

/** Folds the selected change, or all of the component; `undefined` turns what is into the other. */
function fold(to: boolean | undefined, which: 'selected' | 'all'): Act {
  return scene => {
    const {model} = scene;
    const plan = planHere(model);
    const text = changeTextOf(scene);
    if (plan === undefined || text === undefined) return undefined;
    const selected = selectedId(model, 'resources');
    const isMeant = (id: string): boolean => which === 'all' || id === selected;
    const changes = shownChanges(plan, model.review).filter(change => isMeant(keyOf(plan.component, change)));
    const isOpen = text.heads.some(({id, fold}) => isMeant(id) && fold === 'open');
    const review: Action = {do: 'review', review: {folds: folded(plan, changes, to ?? isOpen, model.review)}};
    return {do: 'all', actions: [review, ...keepInSight({...scene, model: update(model, review)}, selected)]};
  };
}

/** Scrolls as far as it takes to read the whole change. */
function keepInSight(scene: Scene, change: string | undefined): readonly Action[] {
  const text = changeTextOf(scene);
  const head = text?.heads.find(({id}) => id === change);
  if (text === undefined || head === undefined) return [];
  const pane = scrollableOf(scene);
  return [{do: 'scroll', of: pane.of, top: clamped(inSight(head, topOf(scene.model, pane), pane.height), text, pane.height)}];
}

const nextRisk: Act = ({model}) => {
  const {plan} = model.run;
  if (plan === undefined) return undefined;
  const all = [undefined, ...risksOf(plan)];
  return {do: 'review', review: {risk: all[(all.indexOf(model.review.risk) + 1) % all.length]}};
};

/** Shows a place that holds what is looked for: its component, its line. */
function toHit(scene: Scene, hit: number): readonly Action[] {
  const places = found(scene);
  const at = places.length === 0 ? 0 : (hit + places.length) % places.length;
  const place = places[at];
  return [
    {do: 'review', review: {hit: at}},
    ...(place === undefined
      ? []
      : ([
          {do: 'select', list: 'changes', row: place.component},
          {do: 'scroll', of: `plan of ${place.component}`, top: Math.max(0, place.line - Math.floor(scene.height / 2))},
        ] as const)),
  ];
}

function lookFor(search: string): Act {
  return scene => {
    const {model} = scene;
    const looking: Scene = {...scene, model: {...model, review: {...model.review, search}}};
    return {do: 'all', actions: [{do: 'review', review: {search}}, ...toHit(looking, 0)]};
  };
}

function nextHit(by: number): Act {
  return scene => ({do: 'all', actions: toHit(scene, scene.model.review.hit + by)});
}

const endSearch: Act = () => ({do: 'review', review: {search: '', typing: false, hit: 0}});

const isSearching = ({model}: Scene): boolean => model.review.search !== '';

const search: readonly Binding[] = [
  {keys: {'/': () => ({do: 'review', review: {typing: true}})}, label: '/', does: 'search', place: 'bar'},
  {keys: {n: nextHit(1), N: nextHit(-1)}, label: 'n N', does: 'next, previous', place: 'bar', when: isSearching},
  {keys: {escape: endSearch}, label: 'esc', does: 'end the search', place: 'bar', when: isSearching},
];

export const reviewKeys: ModeKeys = {
  bindings: [
    toConfirm,
    {...moving('changes'), when: scene => !isReading(scene)},
    {...toTheEnds('changes'), when: scene => !isReading(scene)},
    {
      keys: {up, k: up, down, j: down},
      label: '↑↓',
      does: 'move',
      place: 'bar',
      when: isReading,
    },
    {
      keys: {...keys(['home', 'g'], first), ...keys(['end', 'G'], last)},
      label: 'g G',
      does: 'first, last change',
      place: 'help',
      when: isReading,
    },
    {
      keys: keys(['tab', 'shift+tab'], scene => ({do: 'read', list: isReading(scene) ? undefined : 'changes'})),
      label: 'tab',
      does: scene => (isReading(scene) ? 'list' : 'changes'),
      place: 'bar',
    },
    {
      keys: {space: fold(undefined, 'selected'), left: fold(true, 'selected'), right: fold(false, 'selected')},
      label: 'space',
      does: 'fold',
      place: 'bar',
      when: scene => isReading(scene) && rowIds(scene.model, 'resources').length > 0,
    },
    {keys: {e: fold(undefined, 'all')}, label: 'e', does: 'fold, unfold all', place: 'help'},
    {
      keys: {f: nextRisk},
      label: 'f',
      does: ({model}) => (model.review.risk === undefined ? 'filter' : `only ${model.review.risk}`),
      place: 'bar',
      when: ({model}) => (model.run.plan?.components ?? []).some(plan => riskOf(plan) !== 'none'),
    },
    ...search,
    digits('changes'),
    paging,
  ],
};

export const changesSearchKeys: ModeKeys = {
  bindings: [
    {keys: {enter: () => ({do: 'review', review: {typing: false}})}, label: 'enter', does: 'keep it', place: 'bar'},
    {keys: {down: nextHit(1), up: nextHit(-1)}, label: '↑↓', does: 'next, previous', place: 'bar'},
    {keys: {escape: endSearch}, label: 'esc', does: 'end the search', place: 'bar'},
  ],
  field: {text: ({model}) => model.review.search, set: (scene, text) => lookFor(text)(scene)},
};
