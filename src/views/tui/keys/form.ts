/** Keys of the form: environment, version, components. */
import type {Scene} from '../scene.ts';
import {
  arranged,
  canGoBack,
  type Form,
  type FormUiAction,
  goingAlong,
  isAsking,
  judge,
  lookOf,
  presetOf,
  typedVersion,
} from '../state/form.ts';
import {selectedId} from '../state/lists.ts';
import type {Action} from '../state/model.ts';
import {type Act, type Binding, keys, type ModeKeys} from './binding.ts';
import {digits, moving, toTheEnds} from './moving.ts';

/** An act on the open form. */
function onForm(act: (form: Form, scene: Scene) => FormUiAction | undefined): Act {
  return scene => {
    const action = isAsking(scene.model.form) ? act(scene.model.form, scene) : undefined;
    return action && {do: 'form', action};
  };
}

const back: Binding = {
  keys: {escape: onForm(() => ({do: 'step', step: {do: 'back'}}))},
  label: 'esc',
  does: 'back',
  place: 'bar',
  when: ({model}) => model.form !== undefined && canGoBack(model.form),
};

/** The version that `enter` would choose now. */
export function versionHere(form: Form, {model}: Pick<Scene, 'model'>): string {
  const selected = selectedId(model, 'versions') ?? typedVersion;
  return selected === typedVersion ? form.typed : selected;
}

const chooseVersion: Binding = {
  keys: {
    enter: onForm((form, scene) => {
      const value = versionHere(form, scene);
      if (!judge(form, value).ready) return undefined;
      return {do: 'step', step: {do: 'answer', step: 'version', value}};
    }),
  },
  label: 'enter',
  does: 'choose',
  place: 'bar',
};

const forget = onForm(form => {
  const {environment} = form.state.answers;
  return environment === undefined ? undefined : {do: 'forget', environment};
});

const lookAgain: Binding = {keys: keys(['r', 'ctrl+r'], forget), label: 'r', does: 'look again', place: 'bar'};

/** What is typed goes into the field, which is selected with it. */
function typeVersion(text: string): Action {
  return {do: 'form', action: {do: 'type', text}};
}

/** A new set of left-out components, made from the ids that are shown and the ones left out so far. */
function leaveOut(change: (shown: readonly string[], without: ReadonlySet<string>, selected: string) => Iterable<string>): Act {
  return onForm((form, {model}) => {
    const shown = arranged(form).map(({card}) => card.id);
    return {do: 'leave out', without: new Set(change(shown, form.without, selectedId(model, 'components') ?? ''))};
  });
}

function toggled(_shown: readonly string[], without: ReadonlySet<string>, selected: string): readonly string[] {
  return without.has(selected) ? [...without].filter(id => id !== selected) : [...without, selected];
}

/** What is left out and not shown stays left out. */
function hidden(shown: readonly string[], without: ReadonlySet<string>): readonly string[] {
  return [...without].filter(id => !shown.includes(id));
}

/** The components of the next preset; after the last one, all. */
const nextPreset: Act = onForm(form => {
  const names = Object.keys(form.presets);
  const now = presetOf(form);
  const next = names[now === undefined ? 0 : names.indexOf(now) + 1];
  const chosen = next === undefined ? undefined : form.presets[next];
  const left = lookOf(form).cards.flatMap(({id}) => (chosen === undefined || chosen.includes(id) ? [] : [id]));
  return {do: 'leave out', without: new Set(left)};
});

/** The filter as it is typed, kept, or given up. */
function filterBy(filter: string | undefined, filtering: boolean): Act {
  return onForm(form => ({do: 'filter', filter: filter ?? form.filter, filtering}));
}

const isFiltered = ({model}: Scene): boolean => model.form !== undefined && model.form.filter !== '';

export const environmentKeys: ModeKeys = {
  bindings: [
    moving('environments'),
    {
      keys: {
        enter: onForm((_form, {model}) => {
          const value = selectedId(model, 'environments');
          return value === undefined ? undefined : {do: 'step', step: {do: 'answer', step: 'environment', value}};
        }),
      },
      label: 'enter',
      does: 'choose',
      place: 'bar',
    },
    {
      keys: keys(
        ['r', 'ctrl+r'],
        onForm(() => ({do: 'ask again'})),
      ),
      label: 'r',
      does: 'look again',
      place: 'bar',
    },
    toTheEnds('environments'),
    digits('environments'),
  ],
};

export const versionKeys: ModeKeys = {
  bindings: [
    moving('versions'),
    chooseVersion,
    {
      keys: Object.fromEntries('0123456789'.split('').map(digit => [digit, () => typeVersion(digit)])),
      label: '0-9',
      does: 'type a version',
      place: 'bar',
    },
    back,
    lookAgain,
    toTheEnds('versions'),
  ],
  paste: (_scene, text) => typeVersion(text),
};

export const versionFieldKeys: ModeKeys = {
  bindings: [moving('versions', false), chooseVersion, back, {...lookAgain, keys: {'ctrl+r': forget}, label: 'ctrl+r'}],
  field: {
    text: ({model}) => model.form?.typed ?? '',
    set: (_scene, text) => typeVersion(text),
  },
};

export const componentsKeys: ModeKeys = {
  bindings: [
    moving('components'),
    {keys: {space: leaveOut(toggled)}, label: 'space', does: 'toggle', place: 'bar'},
    {
      keys: {
        enter: onForm(form => {
          const value = goingAlong(form).map(card => card.id);
          if (value.length === 0 || !lookOf(form).done) return undefined;
          return {do: 'step', step: {do: 'answer', step: 'components', value}};
        }),
      },
      label: 'enter',
      does: 'go on',
      place: 'bar',
    },
    {...back, keys: {escape: filterBy('', false)}, does: 'show all', when: isFiltered},
    {...back, when: scene => !isFiltered(scene) && (back.when?.(scene) ?? true)},
    {keys: {'/': filterBy(undefined, true)}, label: '/', does: 'filter', place: 'bar'},
    {
      keys: {p: nextPreset},
      label: 'p',
      does: 'preset',
      place: 'bar',
      when: ({model}) => Object.keys(model.form?.presets ?? {}).length > 0,
    },
    {keys: {a: leaveOut(hidden)}, label: 'a', does: 'all', place: 'bar'},
    {keys: {n: leaveOut((shown, without) => [...without, ...shown])}, label: 'n', does: 'none', place: 'help'},
    {
      keys: {i: leaveOut((shown, without) => [...hidden(shown, without), ...shown.filter(id => !without.has(id))])},
      label: 'i',
      does: 'invert',
      place: 'bar',
    },
    {...lookAgain, place: 'help'},
    toTheEnds('components'),
    digits('components'),
  ],
};

export const componentsFilterKeys: ModeKeys = {
  bindings: [
    moving('components', false),
    {keys: {enter: filterBy(undefined, false)}, label: 'enter', does: 'keep it', place: 'bar'},
    {keys: {escape: filterBy('', false)}, label: 'esc', does: 'show all', place: 'bar'},
  ],
  field: {
    text: ({model}) => model.form?.filter ?? '',
    set: (scene, text) => filterBy(text, true)(scene),
  },
};
