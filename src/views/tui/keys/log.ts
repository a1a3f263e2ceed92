/** Keys of the log of a job. */
import {jobId} from '../../../release/words.ts';
import {logHits, logWindow} from '../lines/log.ts';
import type {Scene} from '../scene.ts';
import {type LogPane, openedLog, paneAt} from '../state/log.ts';
import {type Act, type Binding, keys, type ModeKeys} from './binding.ts';

/** An act on the open pane. */
function onPane(act: (pane: LogPane, scene: Scene) => LogPane): Act {
  return scene => {
    const {log} = scene.model;
    return log === undefined ? undefined : {do: 'log', log: act(log, scene)};
  };
}

/** Moves the window over the log, by lines of which `height` are shown; at its end it follows again. */
function logBy(lines: (height: number) => number): Act {
  return scene => {
    const window = logWindow(scene);
    if (window === undefined) return undefined;
    const shown = scene.height - 1;
    const end = Math.max(window.first + shown, window.end + lines(shown));
    return onPane(pane => paneAt(pane, end >= window.total ? undefined : end))(scene);
  };
}

const up = logBy(() => -1);
const down = logBy(() => 1);
const pageUp = logBy(height => 1 - height);
const pageDown = logBy(height => height - 1);
const oldest = logBy(() => -Infinity);
const newest = logBy(() => Infinity);

const nextJob: Act = ({model}) => {
  const jobs = [...model.run.jobs.values()].map(({job}) => jobId(job));
  const next = jobs[(jobs.indexOf(model.log?.job ?? '') + 1) % jobs.length];
  return next === undefined ? undefined : {do: 'log', log: openedLog(next)};
};

/** To the next line that holds what is looked for; past the last one to the first. */
function toHit(by: 1 | -1): Act {
  return scene =>
    onPane((pane, {height, model}) => {
      const hits = logHits(scene);
      const from = pane.hit ?? (logWindow(scene)?.end ?? 0) - height;
      const ahead = by === 1 ? hits.find(line => line > from) : hits.findLast(line => line < from);
      const hit = ahead ?? hits.at(by === 1 ? 0 : -1);
      if (hit === undefined) return pane;
      // Wrapped, a line may fill the screen: then it is the last one of it.
      const end = hit + 1 + (model.logLook.wrap ? 0 : Math.floor(height / 2));
      return {...paneAt(pane, end), hit};
    })(scene);
}

function lookFor(search: string): Act {
  return onPane(({hit: _hit, ...pane}) => ({...pane, search}));
}

const isSearching = ({model}: Scene): boolean => model.log !== undefined && model.log.search !== '';

const hits: Binding = {keys: {n: toHit(1), N: toHit(-1)}, label: 'n N', does: 'next, previous', place: 'bar', when: isSearching};

const search: Binding = {keys: {'/': onPane(pane => ({...pane, typing: true}))}, label: '/', does: 'search', place: 'bar'};

/** What the log looks like, and what is taken away from it. */
const looks: readonly Binding[] = [
  {
    keys: {w: ({model}) => ({do: 'log look', look: {wrap: !model.logLook.wrap}})},
    label: 'w',
    does: ({model}) => (model.logLook.wrap ? 'cut' : 'wrap'),
    place: 'bar',
  },
  {
    keys: {t: ({model}) => ({do: 'log look', look: {times: !model.logLook.times}})},
    label: 't',
    does: 'times',
    place: 'bar',
  },
  {
    keys: {
      y: ({model}) => {
        const path = model.log && model.logs?.path(model.log.job);
        return path === undefined ? undefined : {do: 'copy', text: path};
      },
    },
    label: 'y',
    does: 'copy the path',
    place: 'bar',
    when: ({model}) => model.log !== undefined && model.logs?.path(model.log.job) !== undefined,
  },
];

export const logKeys: ModeKeys = {
  bindings: [
    // The way out comes first, and what is about a search while there is one: where there is little room, the bar loses its end.
    {
      keys: keys(['escape', 'o', 'q'], scene => (isSearching(scene) ? lookFor('')(scene) : {do: 'log', log: undefined})),
      label: 'esc',
      does: scene => (isSearching(scene) ? 'end the search' : 'close'),
      place: 'bar',
    },
    hits,
    {keys: {up, k: up, down, j: down}, label: '↑↓', does: 'scroll', place: 'bar'},
    {
      keys: {...keys(['pageup', 'ctrl+u'], pageUp), ...keys(['pagedown', 'ctrl+d', 'space'], pageDown)},
      label: 'pgup pgdn',
      does: 'page',
      place: 'bar',
    },
    {keys: keys(['end', 'G'], newest), label: 'G', does: 'follow', place: 'bar'},
    {keys: keys(['home', 'g'], oldest), label: 'g', does: 'oldest', place: 'bar'},
    search,
    ...looks,
    {keys: {tab: nextJob}, label: 'tab', does: 'next job', place: 'bar'},
  ],
};

export const logSearchKeys: ModeKeys = {
  bindings: [
    {
      keys: {
        enter: scene => {
          const closed = {...scene, model: {...scene.model, log: scene.model.log && {...scene.model.log, typing: false}}};
          return closed.model.log?.search === '' ? {do: 'log', log: closed.model.log} : toHit(1)(closed);
        },
      },
      label: 'enter',
      does: 'look for it',
      place: 'bar',
    },
    {
      keys: {escape: onPane(({hit: _hit, ...pane}) => ({...pane, typing: false, search: ''}))},
      label: 'esc',
      does: 'end the search',
      place: 'bar',
    },
  ],
  field: {text: ({model}) => model.log?.search ?? '', set: (scene, text) => lookFor(text)(scene)},
};
