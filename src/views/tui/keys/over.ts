/** Keys of what lies over a screen: the log, the help page, and the question that Ctrl-C asks. */
import {jobId} from '../../../release/model.ts';
import {logWindow} from '../lines/log.ts';
import {type Act, keys, type ModeKeys} from './binding.ts';

const goOn: Act = () => ({do: 'leaving', open: false});

/** `enter` goes on; a second Ctrl-C changes nothing, so that nobody stops a release by leaning on it. */
export const leavingKeys: ModeKeys = {
  bindings: [
    {keys: keys(['enter', 'escape'], goOn), label: 'enter', does: 'go on', place: 'choice'},
    {
      keys: {s: () => ({do: 'command', command: 'stop'})},
      label: 's',
      does: 'stop',
      place: 'choice',
      when: ({model}) => model.commanded === undefined,
    },
    {
      keys: {d: () => ({do: 'command', command: 'detach'})},
      label: 'd',
      does: 'detach and leave it running',
      place: 'choice',
      when: ({model}) => model.commanded !== 'detach',
    },
    {keys: {'ctrl+c': () => undefined}, label: 'ctrl+c', does: 'keeps asking', place: 'help'},
  ],
};

export const helpKeys: ModeKeys = {
  bindings: [
    {keys: keys(['escape', '?', 'enter', 'q'], () => ({do: 'help', open: false})), label: 'esc', does: 'close', place: 'bar'},
  ],
};

/** Moves the window over the log, by lines of which `height` are shown; at its end it follows again. */
function logBy(lines: (height: number) => number): Act {
  return scene => {
    const pane = scene.model.log;
    const window = logWindow(scene);
    if (pane === undefined || window === undefined) return undefined;
    const shown = scene.height - 1;
    const end = Math.max(window.first + shown, window.end + lines(shown));
    return {do: 'log', log: end >= window.total ? {job: pane.job} : {job: pane.job, end}};
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
  return next === undefined ? undefined : {do: 'log', log: {job: next}};
};

export const logKeys: ModeKeys = {
  bindings: [
    {keys: {up, k: up, down, j: down}, label: '↑↓', does: 'scroll', place: 'bar'},
    {
      keys: {...keys(['pageup', 'ctrl+u'], pageUp), ...keys(['pagedown', 'ctrl+d', 'space'], pageDown)},
      label: 'pgup pgdn',
      does: 'page',
      place: 'bar',
    },
    {keys: keys(['end', 'G'], newest), label: 'G', does: 'follow', place: 'bar'},
    {keys: keys(['home', 'g'], oldest), label: 'g', does: 'oldest', place: 'bar'},
    {keys: {tab: nextJob}, label: 'tab', does: 'next job', place: 'bar'},
    {keys: keys(['escape', 'o', 'q'], () => ({do: 'log', log: undefined})), label: 'esc', does: 'close', place: 'bar'},
  ],
};
