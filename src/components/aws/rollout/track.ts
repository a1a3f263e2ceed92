/**
 * What earlier looks at a rollout have found, so that later ones need not ask again: stopped tasks do not change, and a
 * container's last words are read once. A look without it finds the same, with more calls.
 */
import type {EcsService, EcsTask} from '../../../tools/aws/ecs.ts';
import type {Io, Rollout} from './subject.ts';
import type {Judgement} from './judging.ts';

export interface Track {
  /** ARN of our service deployment, once it was found. */
  mine: string | undefined;
  /** The history of the service may not be looked at: it was said once. */
  unseen: boolean;
  looks: number;
  /** It was seen stopped, while the service still showed it as the newest. */
  stopSeen: boolean;
  /** As they were at the look before. */
  living: number;
  failures: number;
  event: string | undefined;
  /** By ARN: tasks that have stopped for good. */
  readonly stopped: Map<string, EcsTask>;
  /** What a task wrote last, as evidence. */
  log: {readonly of: string; readonly lines: readonly string[]} | undefined;
  /** How often a log was looked for. */
  tries: number;
  /** How healthy containers and targets were, when that was last looked at. */
  health: readonly string[];
  /** What may not be looked at, in words. */
  readonly withheld: Set<string>;
  /** The judgement on the service as it was seen last: both claims share it. */
  judged: {readonly of: EcsService; readonly said: Promise<Judgement>} | undefined;
}

/** By the clients that looked: with other credentials other things may be seen. */
const tracks = new WeakMap<object, Map<string, Track>>();

/** Of a rollout that nobody has looked at yet. */
export function newTrack(): Track {
  return {
    mine: undefined,
    unseen: false,
    looks: 0,
    stopSeen: false,
    living: 0,
    failures: 0,
    event: undefined,
    stopped: new Map(),
    log: undefined,
    tries: 0,
    health: [],
    withheld: new Set(),
    judged: undefined,
  };
}

export function trackOf({cluster, service, taskDefinition, since}: Rollout, io: Io): Track {
  const all = tracks.get(io.aws.ecs) ?? new Map<string, Track>();
  tracks.set(io.aws.ecs, all);
  const key = JSON.stringify([cluster, service, taskDefinition, since]);
  const known = all.get(key);
  if (known !== undefined) return known;
  const track = newTrack();
  all.set(key, track);
  return track;
}
