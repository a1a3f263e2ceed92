/** Keys of what lies over a screen: the help page, the commands by hand, a login, and the question that Ctrl-C asks. */
import type {RunState} from '../../../release/reducer.ts';
import {byHandText} from '../lines/by-hand.ts';
import {isComplete, type Login, loginFields} from '../state/login.ts';
import {forceWord} from '../state/stopping.ts';
import {type Act, keys, type ModeKeys} from './binding.ts';
import {paging, scrolling} from './moving.ts';

/** Before its apply nothing of a release goes on by itself. */
function isChanging({jobs}: RunState): boolean {
  return [...jobs.values()].some(({status, job: {phase}}) => status === 'running' && (phase === 'apply' || phase === 'verify'));
}

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
      does: ({model: {run}}) => (isChanging(run) ? 'detach and leave it running' : 'detach, to go on later'),
      place: 'choice',
      when: ({model}) => model.commanded !== 'detach',
    },
    {
      keys: {i: () => ({do: 'force', word: ''})},
      label: 'i',
      does: 'interrupt it again…',
      place: 'choice',
      when: ({model}) => model.commanded === 'stop' && forceWord(model.run) !== undefined,
    },
    {keys: {'ctrl+c': () => undefined}, label: 'ctrl+c', does: 'keeps asking', place: 'help'},
  ],
};

export const helpKeys: ModeKeys = {
  bindings: [
    {keys: keys(['escape', '?', 'enter', 'q'], () => ({do: 'help', open: false})), label: 'esc', does: 'close', place: 'bar'},
  ],
};

/** A second interrupt takes words that nobody types by leaning on a key. */
export const interruptKeys: ModeKeys = {
  bindings: [
    {
      keys: {enter: () => ({do: 'command', command: 'interrupt'})},
      label: 'enter',
      does: 'interrupt it again',
      place: 'bar',
      when: ({model}) => model.forcing !== undefined && model.forcing === forceWord(model.run),
    },
    {keys: keys(['escape', 'ctrl+c'], () => ({do: 'force', word: undefined})), label: 'esc', does: 'go back', place: 'bar'},
  ],
  field: {text: ({model}) => model.forcing ?? '', set: (_scene, word) => ({do: 'force', word})},
};

export const byHandKeys: ModeKeys = {
  bindings: [
    scrolling,
    paging,
    {
      keys: {
        y: ({model}) => (model.byHand === undefined ? undefined : {do: 'copy', text: byHandText(model, model.byHand.component)}),
      },
      label: 'y',
      does: 'copy',
      place: 'bar',
    },
    {keys: keys(['escape', 'c', 'q'], () => ({do: 'by hand', component: undefined})), label: 'esc', does: 'close', place: 'bar'},
  ],
};

/** An act on the login that is typed. */
function onLogin(act: (login: Login) => ReturnType<Act>): Act {
  return ({model}) => {
    const [login] = model.logins;
    return login && act(login);
  };
}

function toField(by: number): Act {
  return onLogin(({id, at}) => {
    const next = loginFields[(loginFields.indexOf(at) + by + loginFields.length) % loginFields.length] ?? at;
    return {do: 'login typed', id, change: {at: next}};
  });
}

export const loginKeys: ModeKeys = {
  bindings: [
    {
      keys: {
        enter: onLogin(login => {
          const {id, username, password, at} = login;
          if (isComplete(login) && at === 'password') return {do: 'login given', id, answer: {username, password}};
          return username === '' ? undefined : {do: 'login typed', id, change: {at: 'password'}};
        }),
      },
      label: 'enter',
      does: ({model: {logins}}) => (logins[0]?.at === 'password' ? 'log in' : 'next'),
      place: 'bar',
    },
    {
      keys: {...keys(['tab', 'down'], toField(1)), ...keys(['shift+tab', 'up'], toField(-1))},
      label: 'tab',
      does: 'other field',
      place: 'bar',
    },
    {
      keys: {escape: onLogin(({id}) => ({do: 'login given', id, answer: undefined}))},
      label: 'esc',
      does: 'give nothing',
      place: 'bar',
    },
  ],
  field: {
    text: ({model: {logins}}) => (logins[0] === undefined ? '' : logins[0][logins[0].at]),
    set: (scene, text) => onLogin(({id, at}) => ({do: 'login typed', id, change: {[at]: text}}))(scene),
    // Some registries give out tokens of a thousand characters and more.
    longest: 8000,
  },
};
