/**
 * What Docker's output says about how far it is. Docker has no format for machines that every version in use prints (`rawjson`, read in
 * raw-json.ts, came with buildx 0.13), so its plain lines are read; a line that means nothing here changes nothing.
 */

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** What it is at, on one line. */
  readonly text: string;
}

/** A pure reading of output, one line (or what it stands for) after the other. `next` answers the same state when it tells nothing new. */
export interface Reading<S extends Progress, L = string> {
  readonly start: S;
  next(state: S, line: L): S;
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
    return /^(DONE|CACHED)\b/.test(rest) ? endStep(state, id) : startStep(state, id, rest);
  },
};

/** What is known once BuildKit has begun with something. `id`: BuildKit's own for it. */
export function startStep(state: BuildKitProgress, id: string, name: string): BuildKitProgress {
  if (state.steps.has(id)) return state;
  // Steps that two stages share are done, and listed, once: what was not seen until now never will be.
  if (name === 'exporting to image') return state.text === name ? state : {...state, text: name, done: state.total};

  // `[2/4] RUN make`, `[ 2/13] …`, `[stage-1  2/13] …`, `[linux/arm64 build 2/4] …`; but not `[internal] load metadata`.
  const [, stage = '', , count, instruction = ''] = /^\[([^\]]*?) *(\d+)\/(\d+)\] (.+)$/.exec(name) ?? [];
  if (count === undefined) return state;
  const text = stage === '' ? instruction : `${stage}: ${instruction}`;
  const stages = new Map(state.stages).set(stage, Number(count));
  const total = stages.values().reduce((sum, steps) => sum + steps, 0);
  return {total, stages, text, done: state.done, steps: new Map(state.steps).set(id, {text, ended: false})};
}

/** What is known once BuildKit has done something, the first time that it says so. */
export function endStep(state: BuildKitProgress, id: string): BuildKitProgress {
  const step = state.steps.get(id);
  if (step === undefined || step.ended) return state;
  const steps = new Map(state.steps).set(id, {...step, ended: true});
  const running = [...steps.values()].filter(one => !one.ended).at(-1);
  return {...state, steps, done: state.done + 1, text: running?.text ?? state.text};
}

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
export class Reader<S extends Progress, L = string> {
  state: S;
  readonly #reading: Reading<S, L>;
  readonly #onProgress: (progress: Progress) => void;

  constructor(reading: Reading<S, L>, onProgress: (progress: Progress) => void) {
    this.state = reading.start;
    this.#reading = reading;
    this.#onProgress = onProgress;
  }

  read(line: L): void {
    const before = this.state;
    this.state = this.#reading.next(before, line);
    const {done, total, text} = this.state;
    if (done !== before.done || total !== before.total || text !== before.text) this.#onProgress({done, total, text});
  }
}
