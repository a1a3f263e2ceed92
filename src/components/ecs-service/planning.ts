/** What a release would change of an ECS service, and what has changed since that was planned. */
import type {Named, Target} from '../../release/contract.ts';
import {DeployError} from '../../release/errors.ts';
import type {Json} from '../../release/json.ts';
import {fingerprint} from '../../release/hash.ts';
import type {Change, ComponentPlan} from '../../release/model.ts';
import {isDowngrade} from '../../release/version.ts';
import type {EcsService, TaskDefinition} from '../../tools/aws/ecs.ts';
import {primaryOf} from '../aws/rollout/judging.ts';
import {imageDetails, movedTag, settingsCount, shortArn} from '../aws/task-definition.ts';
import {versionOf} from '../aws/version.ts';
import type {Io} from '../io.ts';
import type {Payload, State} from './config.ts';
import type {Config} from './settings.ts';
import {type Goal, goalOf} from './goal.ts';
import {type Standing, standingOf} from './standing.ts';

export async function planService(component: Named<Config>, target: Target<State>, io: Io): Promise<ComponentPlan<Payload>> {
  const standing = await standingOf(component, io);
  if (standing === undefined) {
    throw new DeployError(`there is no service ${component.service} in cluster ${component.cluster}`, {
      means: 'Nothing was changed.',
    });
  }
  const {definition, primary} = standing;
  const goal = await goalOf(component, target, standing, io);
  const from = await versionOf(definition, Object.keys(component.images), io);
  const payload: Payload = {
    cluster: component.cluster,
    service: component.service,
    from: definition.arn,
    newest: primary?.id ?? null,
    register: goal.register,
    existing: goal.existing,
    images: [...goal.images],
    anew: goal.anew !== undefined,
    stop: goal.stop ?? null,
  };
  const same = isNothing(payload);
  return {
    component: component.id,
    kind: component.kind,
    ...(from !== undefined && {from}),
    to: target.version,
    changes: same ? [] : [await changeOf(component, goal, standing, isDowngrade(from, target.version), io)],
    notes: [...goal.notes, ...notesOf(component, goal, same, standing)],
    fingerprint: fingerprint(payload),
    payload,
  };
}

/** Whether the service runs what it is to run already. */
export function isNothing({existing, from, anew, stop}: Payload): boolean {
  return existing === from && !anew && stop === null;
}

async function changeOf(
  {cluster, service: name}: Config,
  goal: Goal,
  standing: Standing,
  downgrade: boolean,
  io: Io,
): Promise<Change> {
  const {definition, running} = standing;
  const now = shortArn(definition.arn);
  const revision = goal.existing === null ? 'new revision' : shortArn(goal.existing);
  return {
    id: `service ${name}`,
    risk: 'update',
    summary: `ECS service ${name} in ${cluster}: ${now} → ${goal.anew ?? (goal.stop === undefined ? revision : `${revision}, by stopping its deployment`)}`,
    details: [
      {name: 'task definition', before: now, after: revision},
      ...(await imageDetails(definition, goal.images, io, running)),
    ],
    flags: downgrade ? ['downgrade'] : [],
  };
}

function notesOf({service: name}: Config, goal: Goal, same: boolean, {definition, service}: Standing): string[] {
  if (same) return [`${name} runs ${shortArn(definition.arn)} already`];
  const registers = goal.register === null ? [] : [staysNote(definition, goal)];
  return [
    ...registers,
    `rolls ${service.desiredCount ?? 0} tasks, ${strategyOf(service)}, circuit breaker ${breakerOf(service)}`,
  ];
}

function staysNote(definition: TaskDefinition, {images}: Goal): string {
  const tags: Json | undefined = definition.input['tags'];
  const carried = Array.isArray(tags) && tags.length > 0 ? `, ${tags.length} tags carried over` : '';
  return `everything else stays (${settingsCount(definition) - images.length} settings compared${carried})`;
}

/** `one by one`, or what ECS calls a strategy of its own. */
function strategyOf({deploymentConfiguration}: EcsService): string {
  const {strategy = 'ROLLING', bakeTimeInMinutes} = deploymentConfiguration ?? {};
  const bake = bakeTimeInMinutes ? `, baking ${bakeTimeInMinutes} min` : '';
  return `${strategy.toLowerCase().replaceAll('_', '/')}${bake}`;
}

/** How many failed tasks end a deployment: AWS's default is half of the desired ones, between 3 and 200 (facts/aws.md). */
function breakerOf({deploymentConfiguration, desiredCount = 0}: EcsService): string {
  const {enable, rollback, thresholdConfiguration} = deploymentConfiguration?.deploymentCircuitBreaker ?? {};
  if (!enable) return 'off';
  const {type = 'BOUNDED_PERCENT', value = 50} = thresholdConfiguration ?? {};
  const share = Math.ceil((desiredCount * value) / 100);
  const count = type === 'COUNT' ? value : type === 'BOUNDED_PERCENT' ? Math.min(200, Math.max(3, share)) : Math.max(1, share);
  return `on ${rollback ? 'with' : 'without'} rollback (after ${count} failed tasks)`;
}

/** What has changed since the plan was made, in words; undefined when it still holds. */
export async function recheckService({cluster, service: name}: Config, plan: Payload, io: Io): Promise<string | undefined> {
  const service = await io.aws.ecs.service(cluster, name);
  const meddled = meddling(plan, service);
  if (meddled !== undefined) return meddled;
  // ECS keeps the digests of what it takes a service back to.
  return plan.stop === null ? movedTag(plan.images, io) : undefined;
}

/** What somebody else has done to the service since the plan was made; undefined where it is as it was. */
export function meddling(
  {service: name, from, newest}: Pick<Payload, 'service' | 'from' | 'newest'>,
  now: EcsService | undefined,
): string | undefined {
  const runs = now?.taskDefinition;
  if (runs !== from)
    return `service ${name} runs ${runs === undefined ? 'nothing' : shortArn(runs)}, not ${shortArn(from)} as planned`;
  const primary = now && primaryOf(now);
  return newest === null || primary?.id === undefined || primary.id === newest
    ? undefined
    : `service ${name} was deployed once more by somebody else (${shortArn(from)}, ${primary.rolloutState?.toLowerCase().replaceAll('_', ' ') ?? 'in progress'})`;
}
