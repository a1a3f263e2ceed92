import type {Account} from '../account.ts';
import {hexId, shortName} from '../naming.ts';
import {CANNOT_PULL, RUN_TO_THE_END} from '../scenarios.ts';
import {clusterNamed} from './clusters.ts';
import {resolveImages} from './images.ts';
import {newTask} from './lifecycle.ts';
import type {PlacedTask} from './placed.ts';
import {usableTaskDefinition} from './task-definitions.ts';

/** Single tasks: what RunTask starts, and what a schedule would. Each runs once, and ends by itself. */
export interface RunInput {
  readonly cluster: string;
  readonly taskDefinition: string;
  readonly count: number;
  readonly startedBy?: string | undefined;
  readonly group?: string | undefined;
  readonly launchType?: string | undefined;
  readonly overrides?: unknown;
  /** A repeat with the same token starts nothing, and is answered like the first. */
  readonly clientToken?: string | undefined;
}

/** A scenario of the account, or of this family, decides how they end; without one they do what they are for. */
export function runTask(account: Account, input: RunInput): readonly PlacedTask[] {
  const {name: clusterName} = clusterNamed(account, input.cluster);
  const definition = usableTaskDefinition(account, input.taskDefinition);
  const earlier = input.clientToken === undefined ? undefined : account.runTokens.get(input.clientToken);
  if (earlier !== undefined) return earlier;

  const images = resolveImages(account, definition);
  const behaviour = account.behaviours.get(definition.family) ?? account.behaviour;
  const fate = images.some(({imageDigest}) => imageDigest === undefined) ? CANNOT_PULL : (behaviour.fate ?? RUN_TO_THE_END);
  const second = account.clock.second * behaviour.slowdown;
  const started = Array.from({length: input.count}, (): PlacedTask => {
    const id = hexId(account.seed, 'run', account.serial());
    return {
      task: newTask(id, {id: '', revisionId: '', second}, images, account.clock.now(), fate),
      clusterName,
      serviceName: undefined,
      group: input.group ?? `family:${definition.family}`,
      startedBy: input.startedBy,
      taskDefinition: definition.arn,
      images,
      launchType: input.launchType ?? 'FARGATE',
      targetGroup: undefined,
      overrides: input.overrides,
    };
  });
  account.runs.push(...started);
  if (input.clientToken !== undefined) account.runTokens.set(input.clientToken, started);
  return started;
}

/** The family of a task definition's ARN. */
export const familyOf = (taskDefinition: string): string => shortName(taskDefinition).split(':')[0] ?? '';
