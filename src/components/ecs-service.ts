/** An ECS service: a new revision with other images, the service moved to it, watched until it is steady or cannot be. */
import type {Claim} from '../release/model.ts';
import {serviceActing} from './aws/acting.ts';
import {checkPermissions, permissionsClaim} from './aws/allowed.ts';
import {copySteps} from './aws/copying.ts';
import {checkShared, imageClaim, sessionClaim} from './aws/requirements.ts';
import {type Rollout, checkRollout} from './aws/rollout.ts';
import {stoppable} from './aws/stoppable.ts';
import {register, revisionOf, shortArn} from './aws/task-definition.ts';
import {versionOf} from './aws/version.ts';
import {type Payload, type State, payload, state} from './ecs-service/config.ts';
import {type Config, ecsServiceConfig} from './ecs-service/settings.ts';
import {move, moved} from './ecs-service/moving.ts';
import {isNothing, planService, recheckService} from './ecs-service/planning.ts';
import {checkRequirement, serviceClaim} from './ecs-service/requirements.ts';
import {imagesNow, standingOf} from './ecs-service/standing.ts';

export const ecsService = stoppable<Config, State, Payload>({
  kind: 'ecs-service',
  revert: 'auto',
  config: ecsServiceConfig,
  state,
  payload,

  requirements: (component, target) => [
    sessionClaim(),
    serviceClaim(component),
    permissionsClaim(component.id, 'ecs-service'),
    ...(target.is === 'release' ? Object.values(component.images).map(image => imageClaim(image, target.version)) : []),
  ],

  observe: async (component, io) => {
    const standing = await standingOf(component, io);
    if (standing === undefined) return undefined;
    const {service, definition} = standing;
    const names = Object.keys(component.images);
    const images = await imagesNow(standing, names, io);
    return {
      version: await versionOf(definition, names, io),
      state: {taskDefinition: definition.arn, desired: service.desiredCount ?? 0, images},
      digests: Object.fromEntries(images.map(({image, digest}) => [image, digest])),
    };
  },

  prepare: (component, target, io) => copySteps(Object.values(component.images), target, io),

  plan: planService,

  recheck: (component, {payload}, io) => recheckService(component, payload, io),

  steps: (_component, {payload}) => [
    ...(payload.register ? [register(payload.register)] : []),
    ...(isNothing(payload) ? [] : [move(payload)]),
  ],

  claims: (component, {payload}, results) => {
    const {cluster, service, from, images, newest} = payload;
    const taskDefinition = revisionOf(payload, results);
    const done = moved(results);
    const subject: Omit<Rollout, 'is'> = {
      cluster,
      service,
      from,
      taskDefinition,
      images,
      replaced: done === undefined ? null : newest,
      since: done?.at ?? null,
      takenBack: done?.takenBack ?? null,
    };
    const claim = (is: Rollout['is'], text: string): Claim => ({
      id: `${component.id} ${is}`,
      text,
      subject: {is, ...subject},
      within: component.verify.within,
      late: 'unknown',
    });
    return [
      claim('rollout', `service ${service} runs ${shortArn(taskDefinition)}`),
      ...(images.length === 0 ? [] : [claim('digests', `every task of ${service} runs the released image`)]),
    ];
  },

  check: async (component, claim, io) => {
    const looked =
      (await checkShared(claim, io)) ??
      checkPermissions(claim, io, () => serviceActing(component, io)) ??
      checkRollout(claim, io) ??
      checkRequirement(component, claim, io);
    if (looked === undefined) throw new Error(`ecs-service cannot look at ${claim.id}`);
    return looked;
  },
});
