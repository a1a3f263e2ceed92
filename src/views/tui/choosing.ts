/** Runs the form: looks at the environments that it asks about, and hands over what was chosen. */
import {type Choice, chosen, type EnvironmentCard, type FormAnswers, type KnownVersion, type Survey} from '../../release/form.ts';
import type {FormUiAction} from './state/form.ts';
import type {Action, Model} from './state/model.ts';
import type {Store} from './store.ts';

/** Resolves with what was chosen, or with undefined when the operator gave up. `drawn` resolves once what is drawn is on the screen. */
export async function runForm(
  store: Store<Model, Action>,
  flags: FormAnswers,
  survey: Survey,
  drawn: () => Promise<unknown>,
): Promise<Choice | undefined> {
  const {application, environments, presets} = survey;
  const {promise, resolve, reject} = Promise.withResolvers<Choice | undefined>();
  const tell = (action: FormUiAction): void => store.dispatch({do: 'form', action});
  let looking = new AbortController();
  let asking = new AbortController();
  let rounds = 0;

  /** All environments side by side: who chooses one meanwhile waits for none. */
  const askAround = (): void => {
    asking.abort();
    asking = new AbortController();
    const {signal} = asking;
    const known = (card: EnvironmentCard): void => {
      if (!signal.aborted) store.feed({do: 'form', action: {do: 'known', card}});
    };
    for (const {name} of environments) {
      survey.recall(name).then(known).catch(reject);
      survey
        .reach(name, signal)
        .then(reached => known({name, ...reached}))
        .catch(reject);
    }
  };

  const look = async (environment: string): Promise<void> => {
    // One at a time: who goes back and chooses another one does not wait for the first.
    looking.abort();
    looking = new AbortController();
    const {signal} = looking;
    tell({do: 'look', environment});
    const versions = (action: {readonly versions?: readonly KnownVersion[]; readonly searched: boolean}): void => {
      if (!signal.aborted) store.feed({do: 'form', action: {do: 'versions', environment, ...action}});
    };
    survey
      .versions(environment, signal, found => versions({versions: found, searched: false}))
      .then(() => versions({searched: true}))
      .catch(reject);
    const cards = await survey.look(environment, signal, card => {
      if (!signal.aborted) store.feed({do: 'form', action: {do: 'found', environment, card}});
    });
    if (signal.aborted) return;
    tell({do: 'looked', environment, cards, suggestions: survey.suggest(environment, cards)});
  };

  const unsubscribe = store.subscribe(() => {
    const {form} = store.shown();
    if (form === undefined) return;
    const {answers, step} = form.state;
    if (step === 'environment' && form.rounds > rounds) {
      rounds = form.rounds;
      // After the frame that shows them: what it takes to look at them has to be loaded first.
      setImmediate(() => void drawn().then(askAround, reject));
    }
    if (form.gaveUp || step === 'done') resolve(form.gaveUp ? undefined : chosen(form.state));
    else if (step !== 'environment' && answers.environment !== undefined && !form.looks.has(answers.environment)) {
      look(answers.environment).catch(reject);
    }
  });
  tell({do: 'open', flags, application, environments, presets});
  try {
    return await promise;
  } finally {
    unsubscribe();
    looking.abort();
    asking.abort();
  }
}
