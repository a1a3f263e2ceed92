/** Runs the form: looks at the environments that it asks about, and hands over what was chosen. */
import {type Choice, chosen, type FormAnswers, type Survey} from '../../release/form.ts';
import type {Action, Model} from './state/model.ts';
import type {Store} from './store.ts';

/** Resolves with what was chosen, or with undefined when the operator left. */
export function runForm(store: Store<Model, Action>, flags: FormAnswers, survey: Survey): Promise<Choice | undefined> {
  const {application, environments} = survey;
  let looking: {readonly environment: string; readonly abort: AbortController} | undefined;

  const look = async (environment: string): Promise<void> => {
    looking?.abort.abort();
    const abort = new AbortController();
    looking = {environment, abort};
    store.dispatch({do: 'look started', environment});
    const cards = await survey.look(environment, abort.signal, card => {
      if (!abort.signal.aborted) store.feed({do: 'look found', environment, card});
    });
    if (abort.signal.aborted) return;
    store.dispatch({do: 'look done', environment, cards, suggestions: survey.suggest(environment, cards)});
  };

  return new Promise((resolve, reject) => {
    const end = (choice: Choice | undefined): void => {
      unsubscribe();
      looking?.abort.abort();
      resolve(choice);
    };
    const unsubscribe = store.subscribe(() => {
      const {form} = store.shown();
      if (form === undefined) return;
      if (form.gaveUp || form.state.step === 'done') {
        end(form.gaveUp ? undefined : chosen(form.state));
        return;
      }
      const {environment} = form.state.answers;
      if (environment !== undefined && form.state.step !== 'environment' && !form.looks.has(environment)) {
        look(environment).catch(reject);
      }
    });
    store.dispatch({do: 'form opened', flags, application, environments});
  });
}
