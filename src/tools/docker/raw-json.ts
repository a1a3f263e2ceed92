/**
 * `docker build --progress=rawjson` (buildx 0.13): one JSON object a line, what BuildKit calls a SolveStatus.
 * https://github.com/moby/buildkit/blob/master/client/graph.go has its fields. Lines that are none (warnings of the client, the final
 * `ERROR: failed to build`) come in between.
 */
import * as z from 'zod';
import {buildKitBuild, endStep, startStep, type BuildKitProgress, type Reading} from './progress.ts';

const vertex = z.object({
  digest: z.string(),
  name: z.string().default(''),
  started: z.string().nullish(),
  completed: z.string().nullish(),
  cached: z.boolean().optional(),
  error: z.string().optional(),
});
type Vertex = z.infer<typeof vertex>;

const solveStatus = z.object({
  vertexes: z.array(vertex).nullish(),
  /** Parts of a vertex: `transferring context`, `exporting layers`, layers that are pulled. */
  statuses: z.array(z.object({id: z.string(), vertex: z.string().optional(), completed: z.string().nullish()})).nullish(),
  /** `data` is base64, cut anywhere. */
  logs: z.array(z.object({vertex: z.string().optional(), data: z.string()})).nullish(),
  warnings: z.array(z.object({short: z.string().optional()})).nullish(),
});
export type SolveStatus = z.infer<typeof solveStatus>;

/** What a line says; undefined where it is no status. */
export function readSolveStatus(line: string): SolveStatus | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return solveStatus.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** The same counting as for `--progress=plain`: steps of the Dockerfile alone, the total growing as stages come into sight. */
export const rawJsonBuild: Reading<BuildKitProgress, SolveStatus> = {
  start: buildKitBuild.start,
  next: (state, {vertexes}) => (vertexes ?? []).reduce(readVertex, state),
};

function readVertex(state: BuildKitProgress, {digest, name, started, completed, error}: Vertex): BuildKitProgress {
  if (!started) return state;
  const begun = startStep(state, digest, name);
  return completed && !error ? endStep(begun, digest) : begun;
}

/** Turns what BuildKit says into lines for people, as `--progress=plain` has them. */
export class RawJsonText {
  /** What a vertex has printed of a line that is not at its end. */
  readonly #begun = new Map<string, Uint8Array>();
  readonly #named = new Map<string, number>();
  readonly #ended = new Set<string>();

  read(status: SolveStatus): readonly string[] {
    return [
      ...(status.vertexes ?? []).flatMap(one => this.#vertex(one)),
      ...(status.statuses ?? []).flatMap(({id, vertex = '', completed}) =>
        completed ? [`#${this.#number(vertex)} ${id} done`] : [],
      ),
      ...(status.logs ?? []).flatMap(({vertex = '', data}) => this.#log(vertex, Buffer.from(data, 'base64'))),
      ...(status.warnings ?? []).flatMap(({short}) =>
        short ? [`WARNING: ${Buffer.from(short, 'base64').toString('utf8')}`] : [],
      ),
    ];
  }

  #vertex({digest, name, started, completed, cached, error}: Vertex): readonly string[] {
    if (!started || this.#ended.has(digest)) return [];
    const isNew = !this.#named.has(digest);
    const number = this.#number(digest);
    const lines = isNew ? [`#${number} ${name}`] : [];
    if (!completed) return lines;
    this.#ended.add(digest);
    const rest = this.#flush(digest);
    const end = error ? `ERROR: ${error}` : cached ? 'CACHED' : `DONE ${secondsBetween(started, completed)}s`;
    return [...lines, ...rest, `#${number} ${end}`];
  }

  #log(digest: string, data: Uint8Array): readonly string[] {
    const all = Buffer.concat([this.#begun.get(digest) ?? new Uint8Array(), data]);
    const end = all.lastIndexOf(0x0a) + 1;
    this.#begun.set(digest, all.subarray(end));
    if (end === 0 && all.length < longestLine) return [];
    const whole = end === 0 ? all : all.subarray(0, end - 1);
    if (end === 0) this.#begun.delete(digest);
    const number = this.#number(digest);
    return whole
      .toString('utf8')
      .split('\n')
      .map(line => `#${number} ${line.replace(/\r$/, '')}`);
  }

  #flush(digest: string): readonly string[] {
    const rest = Buffer.from(this.#begun.get(digest) ?? new Uint8Array());
    this.#begun.delete(digest);
    return rest.length === 0 ? [] : [`#${this.#number(digest)} ${rest.toString('utf8')}`];
  }

  #number(digest: string): number {
    const number = this.#named.get(digest) ?? this.#named.size + 1;
    this.#named.set(digest, number);
    return number;
  }
}

/** A tool that draws a bar never ends its line. Bytes. */
const longestLine = 64 * 1024;

const secondsBetween = (from: string, to: string): string => ((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1);
