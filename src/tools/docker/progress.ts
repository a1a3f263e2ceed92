/**
 * What Docker's output says about how far it is. Docker has no format for machines that every version in use prints (`rawjson` came
 * with buildx 0.13), so its plain lines are read; a line that means nothing here changes nothing.
 */

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** What it is at, on one line. */
  readonly text: string;
}

/** A pure reading of output, one line after the other. `next` answers the same state when the line tells nothing new. */
export interface Reading<S extends Progress> {
  readonly start: S;
  next(state: S, line: string): S;
}

const nothing: Progress = {done: 0, total: 0, text: ''};

/** The legacy builder: `Step 3/7 : COPY . .` when a step starts, `Successfully built …` at the end. */
export const legacyBuild: Reading<Progress> = {
  start: nothing,
  next(state, line) {
    const [, step, total, text] = /^Step (\d+)\/(\d+) : (.*)$/.exec(line) ?? [];
    if (step !== undefined) return {done: Number(step) - 1, total: Number(total), text: text ?? ''};
    if (line.startsWith('Successfully built ')) return {...state, done: state.total};
    return state;
  },
};

export interface BuildKitProgress extends Progress {
  /** Number of steps by stage, for the stages that were seen. */
  readonly stages: ReadonlyMap<string, number>;
  /** Steps of the Dockerfile by BuildKit's number, in the order in which they started. */
  readonly steps: ReadonlyMap<string, {readonly text: string; readonly ended: boolean}>;
}

/**
 * BuildKit's `--progress=plain`: `#7 [build 2/4] RUN make`, later `#7 DONE 1.2s`. Steps run side by side, their lines repeat when
 * the output turns from one to another, and a FROM may end twice (found, then pulled). The total grows as stages come into sight.
 */
export const buildKitBuild: Reading<BuildKitProgress> = {
  start: {...nothing, stages: new Map(), steps: new Map()},
  next(state, line) {
    const [, id = '', rest = ''] = /^#(\d+) (.*)$/.exec(line) ?? [];
    const known = state.steps.get(id);
    if (known && !known.ended && /^(DONE|CACHED)\b/.test(rest)) {
      const steps = new Map(state.steps).set(id, {...known, ended: true});
      const running = [...steps.values()].filter(step => !step.ended).at(-1);
      return {...state, steps, done: state.done + 1, text: running?.text ?? state.text};
    }
    // Steps that two stages share are done, and listed, once: what was not seen until now never will be.
    if (rest === 'exporting to image') return state.text === rest ? state : {...state, text: rest, done: state.total};

    // `[2/4] RUN make`, `[ 2/13] …`, `[stage-1  2/13] …`, `[linux/arm64 build 2/4] …`; but not `[internal] load metadata`.
    const [, stage = '', , count, instruction = ''] = /^\[([^\]]*?) *(\d+)\/(\d+)\] (.+)$/.exec(rest) ?? [];
    if (count === undefined || known) return state;
    const text = stage === '' ? instruction : `${stage}: ${instruction}`;
    const stages = new Map(state.stages).set(stage, Number(count));
    const total = stages.values().reduce((sum, steps) => sum + steps, 0);
    return {total, stages, text, done: state.done, steps: new Map(state.steps).set(id, {text, ended: false})};
  },
};

export interface PushProgress extends Progress {
  /** Whether each layer is there, by its short id. */
  readonly layers: ReadonlyMap<string, boolean>;
  /** `sha256:…` of the manifest, said last. */
  readonly digest: string | undefined;
}

/** `docker push`: `9466409de1d8: Pushed`, at the end `1.2.0: digest: sha256:… size: 735`. */
export const push: Reading<PushProgress> = {
  start: {...nothing, layers: new Map(), digest: undefined},
  next(state, line) {
    const digest = /: digest: (sha256:[0-9a-f]{64}) size: \d+$/.exec(line)?.[1];
    if (digest !== undefined) return {...state, digest};

    const [, layer, status = ''] = /^([0-9a-f]{12}): (\S.*)$/.exec(line) ?? [];
    if (layer === undefined) return state;
    const layers = new Map(state.layers).set(layer, /^(Pushed|Layer already exists|Mounted from )/.test(status));
    return {...state, layers, done: layers.values().filter(Boolean).toArray().length, total: layers.size, text: line};
  },
};

/** A reading as it happens: takes line after line, and calls back when the progress is another. */
export class Reader<S extends Progress> {
  state: S;
  readonly #reading: Reading<S>;
  readonly #onProgress: (progress: Progress) => void;

  constructor(reading: Reading<S>, onProgress: (progress: Progress) => void) {
    this.state = reading.start;
    this.#reading = reading;
    this.#onProgress = onProgress;
  }

  read(line: string): void {
    const before = this.state;
    this.state = this.#reading.next(before, line);
    const {done, total, text} = this.state;
    if (done !== before.done || total !== before.total || text !== before.text) this.#onProgress({done, total, text});
  }
}
