/**
 * The key table: everything that a key does, by mode. Nothing else reacts to keys, and the help bar, the choices of
 * a question and the `?` page are this table, read aloud.
 */
import type {Scene} from '../scene.ts';
import {isAsking} from '../state/form.ts';
import {type Mode, modeOf} from '../state/mode.ts';
import type {Action} from '../state/model.ts';
import type {Binding, ModeKeys} from './binding.ts';
import {componentsFilterKeys, componentsKeys, environmentKeys, versionFieldKeys, versionKeys} from './form.ts';
import {logKeys, logSearchKeys} from './log.ts';
import {byHandKeys, helpKeys, interruptKeys, leavingKeys, loginKeys} from './over.ts';
import {changesSearchKeys, reviewKeys} from './review.ts';
import {boardKeys, confirmKeys, finishedKeys, preflightKeys, reasonKeys, workKeys} from './run.ts';

export const keyTable: Readonly<Record<Mode, ModeKeys>> = {
  environment: environmentKeys,
  version: versionKeys,
  'version field': versionFieldKeys,
  components: componentsKeys,
  'components filter': componentsFilterKeys,
  starting: {bindings: []},
  preflight: preflightKeys,
  work: workKeys,
  review: reviewKeys,
  'changes search': changesSearchKeys,
  confirm: confirmKeys,
  board: boardKeys,
  reason: reasonKeys,
  finished: finishedKeys,
  leaving: leavingKeys,
  interrupt: interruptKeys,
  help: helpKeys,
  login: loginKeys,
  log: logKeys,
  'log search': logSearchKeys,
  'by hand': byHandKeys,
};

/** What holds in every mode that does not say otherwise. */
const everywhere: readonly Binding[] = [
  {
    keys: {'?': () => ({do: 'help', open: true})},
    label: '?',
    does: 'help',
    place: 'bar',
    when: ({model}) => !model.leaving && keyTable[modeOf(model)].field === undefined,
  },
  {
    keys: {'ctrl+c': onCtrlC},
    label: 'ctrl+c',
    does: ({model}) => {
      if (isAsking(model.form)) return 'quit';
      return model.run.finished === undefined ? 'stop…' : 'leave';
    },
    place: 'bar',
  },
  {keys: {'ctrl+z': () => ({do: 'suspend'})}, label: 'ctrl+z', does: "suspend; the shell's fg comes back", place: 'help'},
];

/** Before anything was started it gives up; while it runs it asks; at the end it leaves. It never ends the process. */
function onCtrlC({model}: Scene): Action {
  if (isAsking(model.form)) return {do: 'form', action: {do: 'give up'}};
  return model.run.finished === undefined ? {do: 'leaving', open: true} : {do: 'leave'};
}

/** The bindings that hold in a mode: its own, and those of everywhere whose keys it leaves free. */
export function bindingsOf(mode: Mode, scene: Scene): readonly Binding[] {
  const own = keyTable[mode].bindings;
  const taken = new Set(own.flatMap(binding => Object.keys(binding.keys)));
  const free = everywhere.filter(binding => !Object.keys(binding.keys).some(key => taken.has(key)));
  return [...own, ...free].filter(binding => binding.when?.(scene) ?? true);
}

/** What a key means now. */
export function actionOf(key: string, scene: Scene): Action | undefined {
  const binding = bindingsOf(modeOf(scene.model), scene).find(({keys}) => Object.hasOwn(keys, key));
  return binding?.keys[key]?.(scene);
}

export function wordsOf(binding: Binding, scene: Scene): string {
  return typeof binding.does === 'string' ? binding.does : binding.does(scene);
}
