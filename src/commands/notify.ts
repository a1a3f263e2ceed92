/** Tells others of a release by webhook. Never in its way: what does not arrive in time is said, and that is all. */
import type {Notification as Target} from '../config/hooks.ts';
import {interpolate} from '../config/interpolate.ts';
import {toTrouble} from '../release/errors.ts';
import type {EventOf, TimedEvent} from '../release/events.ts';
import {postJson} from '../tools/webhook.ts';
import {bodyOf, notificationOf} from '../views/notification.ts';
import type {Context} from './context.ts';

export interface Notifier {
  /** Every event of the run, once. */
  tell(event: TimedEvent): void;
  /** Waits for what is still on its way, for as long as one message may take. */
  settle(): Promise<void>;
}

export interface NotifierOptions {
  readonly targets: readonly Target[];
  readonly learnSecret: (secret: string) => void;
  /** What did not arrive, in one line. */
  readonly notice: (text: string) => void;
  /** For one message, in milliseconds. */
  readonly limitMs?: number;
}

const usualLimit = 5000;

export function createNotifier({env}: Pick<Context, 'env'>, options: NotifierOptions): Notifier {
  const {targets, learnSecret, notice, limitMs = usualLimit} = options;
  const late = new AbortController();
  let started: EventOf<'run.started'> | undefined;
  const lanes: readonly Lane[] = targets.map((target, index) => ({
    target,
    name: targets.length === 1 ? 'notify' : `notify ${index + 1}`,
    url: urlOf(target, env, learnSecret),
    last: Promise.resolve(),
  }));
  const told = new Set<string>();
  const complain = (name: string, problem: string) => {
    if (told.has(`${name} ${problem}`)) return;
    told.add(`${name} ${problem}`);
    notice(`${name}: nobody was told: ${problem}`);
  };
  const send = async ({name, url}: Lane, body: string): Promise<void> => {
    const problem = 'problem' in url ? url.problem : await postJson(url.url, body, {timeoutMs: limitMs, signal: late.signal});
    if (problem !== undefined) complain(name, problem);
  };
  return {
    tell: event => {
      if (event.type === 'run.started') started = event;
      const notification = started && notificationOf(started, event);
      if (notification === undefined) return;
      for (const lane of lanes.filter(({target}) => target.on.includes(notification.event))) {
        // In order: nobody is told of an end before the beginning.
        lane.last = lane.last.then(() => send(lane, bodyOf(notification, lane.target.format)));
      }
    },
    settle: async () => {
      const timer = setTimeout(() => late.abort(), limitMs);
      await Promise.all(lanes.map(({last}) => last));
      clearTimeout(timer);
    },
  };
}

type Url = {readonly url: string} | {readonly problem: string};

/** What is sent to one of them, one after the other. */
interface Lane {
  readonly target: Target;
  readonly name: string;
  readonly url: Url;
  last: Promise<void>;
}

/** A URL that comes from the environment is a secret. */
function urlOf({url}: Target, env: Context['env'], learnSecret: (secret: string) => void): Url {
  try {
    const found = interpolate(url, {version: '', environment: '', values: {}, env});
    if (found !== url) learnSecret(found);
    return {url: found};
  } catch (error) {
    return {problem: toTrouble(error).what};
  }
}
