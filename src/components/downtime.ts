/** How long something cannot be reached while it is changed: probed once a second, from before the change until it is well. */
import type {Clock} from '../release/contract.ts';
import type {Downtime} from '../release/model.ts';
import type {probe} from '../tools/http.ts';
import {answers, isGood} from './http-claim.ts';

export interface MeterTarget {
  readonly url: string;
  /** What the new version answers; without it, whatever answers after an outage is taken for the new version. */
  readonly expect?: string | undefined;
}

/** One a component and run. Lives as long as the process: what another process has begun is not measured, rather than wrongly. */
export interface Meter {
  /** Resolves after the first probe, which should come before the change. Starting again goes on with what was begun. */
  start(target: MeterTarget): Promise<void>;
  /** What was seen so far; undefined where it was never started. */
  read(): Downtime | undefined;
  readonly running: boolean;
  /** Looks once more, for the sign at the end, and stops. For when it is well. */
  finish(): Promise<void>;
  stop(): void;
}

/** Milliseconds from one probe to the next, and for one answer. */
const interval = 1000;
const probeLimit = 2000;
/** A change that takes longer is not probed any more. */
const longest = 12 * 60 * 60_000;
/** How many signs are kept: of a longer run, each stands for several probes. */
const mostSigns = 240;

export function createMeter(look: typeof probe, clock: Clock): Meter {
  let stopping: AbortController | undefined;
  let watched: MeterTarget | undefined;
  let signs = '';
  /** How many probes one sign stands for. */
  let each = 1;
  let probes = 0;
  /** Down for good until then, and since when it is down now. */
  let total = 0;
  let downSince: number | undefined;
  let seen: Downtime | undefined;

  const note = (sign: Sign, began: number) => {
    const now = clock.now();
    if (sign === 'x') downSince ??= began;
    else if (downSince !== undefined) {
      total += now - downSince;
      downSince = undefined;
    }
    if (probes % each === 0) signs += sign;
    else signs = signs.slice(0, -1) + worst(signs.at(-1) ?? '', sign);
    probes += 1;
    if (signs.length > mostSigns) {
      signs = halved(signs);
      each *= 2;
    }
    seen = {ms: total + (downSince === undefined ? 0 : now - downSince), probes: signs};
  };

  const once = async ({url, expect}: MeterTarget, signal: AbortSignal) => {
    const began = clock.now();
    const answer = await look(url, {timeoutMs: probeLimit, signal});
    const hasBeenDown = total > 0 || downSince !== undefined;
    const isNew = isGood(answer) && (expect === undefined ? hasBeenDown : answers(answer.body, expect));
    note(isNew ? '+' : isGood(answer) ? '=' : 'x', began);
    return began;
  };

  const goOn = async (target: MeterTarget, signal: AbortSignal) => {
    const until = clock.now() + longest;
    for (let last = clock.now(); last < until;) {
      await clock.sleep(Math.max(0, last + interval - clock.now()), signal);
      last = await once(target, signal);
    }
  };

  const running = () => stopping !== undefined && !stopping.signal.aborted;

  return {
    start: async target => {
      if (stopping !== undefined) return;
      const controller = new AbortController();
      stopping = controller;
      watched = target;
      await once(target, controller.signal);
      // Ends with a StoppedError, and with nothing else: a probe that fails is a sign.
      void goOn(target, controller.signal).catch(() => undefined);
    },
    read: () => seen,
    get running() {
      return running();
    },
    finish: async () => {
      if (!running() || watched === undefined || stopping === undefined) return;
      stopping.abort();
      await once(watched, new AbortController().signal);
    },
    stop: () => stopping?.abort(),
  };
}

type Sign = '=' | 'x' | '+';

/** Of several probes under one sign, an outage is what is shown, and then the new version. */
function worst(a: string, b: string): string {
  return ['x', '+', '='].find(sign => a === sign || b === sign) ?? b;
}

function halved(signs: string): string {
  return signs.replace(/(.)(.)/g, (_, a: string, b: string) => worst(a, b));
}

/** `50 s`, `1 m 50 s`, `2 h 5 m`. */
export function inWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const parts = hours > 0 ? [`${hours} h`, `${minutes} m`] : [minutes > 0 && `${minutes} m`, `${seconds % 60} s`];
  return parts.filter(Boolean).join(' ');
}
