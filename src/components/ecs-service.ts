/** An ECS service: a new revision with other images, the service moved to it, watched until it is steady or cannot be. */
import {z} from 'zod';
import {duration} from './settings.ts';
import {type ComponentKind, step} from '../release/contract.ts';
import {DeployError} from '../release/errors.ts';
import {fingerprint} from '../release/json.ts';
import type {Check, Claim} from '../release/model.ts';
import {isDowngrade} from '../release/version.ts';
import type {EcsService} from '../tools/aws/ecs.ts';
import {checkShared, imageClaim, sessionClaim, withoutSession} from './aws/requirements.ts';
import {checkRollout} from './aws/rollout.ts';
import {
  containerImage,
  correctImages,
  imageDetails,
  imagesSetting,
  movedTag,
  missingContainer,
  register,
  revisionOf,
  resolveImages,
  revisionPlan,
  runsImages,
  settingsCount,
  shortArn,
  versionIn,
  withImages,
} from './aws/task-definition.ts';
import type {Io} from './io.ts';
import {failed, passed} from './verdict.ts';

export const ecsServiceConfig = z.strictObject({
  kind: z.literal('ecs-service'),
  needs: z.array(z.string()).optional(),
  cluster: z.string().min(1),
  service: z.string().min(1),
  images: imagesSetting,
  verify: z.strictObject({within: duration}).default({within: 15 * 60_000}),
});
type Config = z.infer<typeof ecsServiceConfig>;

const state = z.object({taskDefinition: z.string(), desired: z.number()});
type State = z.infer<typeof state>;

const payload = z.object({
  cluster: z.string(),
  service: z.string(),
  /** The revision that runs now. */
  from: z.string(),
  /** What is to be registered; null where an existing revision is to run. */
  register: revisionPlan.nullable(),
  /** The existing revision that is to run; null where one is registered first. */
  existing: z.string().nullable(),
  images: z.array(containerImage),
});
type Payload = z.infer<typeof payload>;

const updateStep = 'update-service';

export const ecsService: ComponentKind<Config, State, Payload, Io> = {
  kind: 'ecs-service',
  config: ecsServiceConfig,
  state,
  payload,

  requirements: (component, target) => [
    sessionClaim(),
    {
      id: `${component.id} service`,
      text: `${component.id}: service ${component.service} in ${component.cluster}`,
      subject: {
        is: 'service',
        cluster: component.cluster,
        service: component.service,
        containers: Object.keys(component.images),
      },
      // Later it is our own deployment that is in flight.
      once: true,
    },
    ...(target.is === 'release' ? Object.values(component.images).map(image => imageClaim(image, target.version)) : []),
  ],

  observe: async (component, io) => {
    const service = await io.aws.ecs.service(component.cluster, component.service);
    if (service?.taskDefinition === undefined) return undefined;
    const definition = await io.aws.ecs.taskDefinition(service.taskDefinition);
    return {
      version: definition && versionIn(definition, Object.keys(component.images)),
      state: {taskDefinition: service.taskDefinition, desired: service.desiredCount ?? 0},
    };
  },

  prepare: async () => [],

  plan: async (component, target, io) => {
    const {service, definition} = await current(component, io);
    const images = target.is === 'release' ? await resolveImages(component.images, target.version, io) : [];
    const from = versionIn(definition, Object.keys(component.images));
    const to = target.is === 'state' ? target.state.taskDefinition : undefined;
    const same = to === undefined ? runsImages(definition, images) : to === definition.arn;
    // Says now what would be refused later.
    if (to === undefined) withImages(definition, images);
    const payload: Payload = {
      cluster: component.cluster,
      service: component.service,
      from: definition.arn,
      register: same || to !== undefined ? null : {family: definition.family, base: definition.arn, images: [...images]},
      existing: same ? definition.arn : (to ?? null),
      images: [...images],
    };
    const revision = to === undefined ? 'new revision' : shortArn(to);
    return {
      component: component.id,
      kind: component.kind,
      ...(from !== undefined && {from}),
      to: target.version,
      changes: same
        ? []
        : [
            {
              id: `service ${component.service}`,
              risk: 'update',
              summary: `ECS service ${component.service} in ${component.cluster}: ${shortArn(definition.arn)} → ${revision}`,
              details: [
                {name: 'task definition', before: shortArn(definition.arn), after: revision},
                ...(await imageDetails(definition, images, io)),
              ],
              flags: isDowngrade(from, target.version) ? ['downgrade'] : [],
            },
          ],
      notes: same
        ? [`${component.service} runs ${shortArn(definition.arn)} already`]
        : [
            `everything else stays (${settingsCount(definition) - images.length} settings compared)`,
            `rolls ${service.desiredCount ?? 0} tasks, circuit breaker ${breaker(service)}`,
          ],
      fingerprint: fingerprint(payload),
      payload,
    };
  },

  recheck: async (component, {payload}, io) => {
    const service = await io.aws.ecs.service(component.cluster, component.service);
    if (service?.taskDefinition === payload.from) return movedTag(payload.images, io);
    return `service ${payload.service} runs ${service?.taskDefinition ? shortArn(service.taskDefinition) : 'nothing'}, not ${shortArn(payload.from)} as planned`;
  },

  steps: (_component, {payload}) => [
    ...(payload.register ? [register(payload.register)] : []),
    step({
      id: updateStep,
      phase: 'apply',
      title: `move service ${payload.service} to it`,
      requestSchema: z.object({cluster: z.string(), service: z.string(), from: z.string(), taskDefinition: z.string()}),
      resultSchema: z.object({taskDefinition: z.string()}),
      request: async (_io: Io, results) => ({
        cluster: payload.cluster,
        service: payload.service,
        from: payload.from,
        taskDefinition: revisionOf(payload, results),
      }),
      perform: async (io, {cluster, service, from, taskDefinition}) => {
        // A resumed run comes late: nobody's deployment but the planned one is replaced.
        const now = (await io.aws.ecs.service(cluster, service))?.taskDefinition;
        if (now !== from && now !== taskDefinition) {
          throw new DeployError(
            `service ${service} runs ${now === undefined ? 'nothing' : shortArn(now)}, not ${shortArn(from)} as planned`,
            {means: 'It was left as it is.', final: true},
          );
        }
        await io.aws.ecs.updateService(cluster, service, taskDefinition, ms => io.clock.sleep(ms, io.signal));
        return {taskDefinition};
      },
      settle: async (io, {cluster, service, taskDefinition}) => {
        const now = await io.aws.ecs.service(cluster, service);
        if (now?.taskDefinition === taskDefinition) return {done: {taskDefinition}};
        // It may have begun and be over: taken back by ECS, or replaced by somebody.
        const isThere = (deployment: {readonly taskDefinition?: string | undefined}) =>
          deployment.taskDefinition === taskDefinition;
        if (now?.deployments?.some(isThere)) return {done: {taskDefinition}};
        const past = await io.aws.ecs.deployments(cluster, service).catch(() => []);
        return past.some(isThere) ? {done: {taskDefinition}} : 'absent';
      },
      tell: ({taskDefinition}) => `service is moving to ${shortArn(taskDefinition)}`,
    }),
  ],

  claims: (component, {payload}, results) => [
    {
      id: `${component.id} rollout`,
      text: `service ${payload.service} runs ${shortArn(revisionOf(payload, results))}`,
      subject: {is: 'rollout', ...payload, register: null, taskDefinition: revisionOf(payload, results)},
      within: component.verify.within,
      late: 'unknown',
    },
  ],

  check: async (component, claim, io) =>
    (await checkShared(claim, io)) ?? checkRollout(claim, io) ?? checkService(component, claim, io),
};

async function current(component: Config, io: Io) {
  const service = await io.aws.ecs.service(component.cluster, component.service);
  const definition = service?.taskDefinition === undefined ? undefined : await io.aws.ecs.taskDefinition(service.taskDefinition);
  if (service === undefined || definition === undefined) {
    throw new DeployError(`there is no service ${component.service} in cluster ${component.cluster}`, {
      means: 'Nothing was changed.',
    });
  }
  return {service, definition};
}

function breaker(service: EcsService): string {
  const {enable, rollback} = service.deploymentConfiguration?.deploymentCircuitBreaker ?? {};
  return enable ? `on ${rollback ? 'with' : 'without'} rollback` : 'off';
}

const serviceSubject = z.object({
  is: z.literal('service'),
  cluster: z.string(),
  service: z.string(),
  containers: z.array(z.string()),
});

async function checkService(component: {readonly id: string}, claim: Claim, io: Io): Promise<Check> {
  const {cluster, service: name, containers} = serviceSubject.parse(claim.subject);
  const unseen = await withoutSession(claim, io);
  if (unseen) return unseen;
  if ((await io.aws.ecs.cluster(cluster)) === undefined) {
    return failed(claim, `there is no cluster ${cluster}`, {
      next: `Correct components.${component.id}.cluster in the config file.`,
    });
  }
  const service = await io.aws.ecs.service(cluster, name);
  if (service === undefined)
    return failed(claim, `there is no service ${name}`, {next: `Correct components.${component.id}.service in the config file.`});
  const controller = service.deploymentController?.type ?? 'ECS';
  if (controller !== 'ECS') {
    return failed(claim, `its deployments are made by ${controller}`, {
      next: 'Only rolling updates of ECS itself are there yet in this version of deploy-wizard.',
    });
  }
  const {deployments = []} = service;
  // Behind a Classic load balancer there is no rollout state, but two deployments.
  const moving = deployments.filter(
    ({rolloutState}) => (rolloutState ?? (deployments.length > 1 && 'IN_PROGRESS')) === 'IN_PROGRESS',
  );
  if (moving.length > 0) {
    const revisions = moving.map(
      ({taskDefinition, runningCount, desiredCount}) =>
        `${shortArn(taskDefinition ?? '')}, ${runningCount} of ${desiredCount} running`,
    );
    return failed(claim, `another deployment is in flight: ${revisions.join('; ')}`, {
      next: 'Wait for it, or stop it in ECS, then try again.',
    });
  }
  if ((service.desiredCount ?? 0) === 0) {
    return failed(claim, 'it is scaled to zero: a release could never be seen to run', {
      next: 'Set its desired count, or leave this component out.',
    });
  }
  const definition = service.taskDefinition === undefined ? undefined : await io.aws.ecs.taskDefinition(service.taskDefinition);
  const missing = definition && missingContainer(definition, containers);
  if (missing !== undefined) return failed(claim, missing, {next: correctImages(component.id)});
  return passed(claim, `${service.runningCount} of ${service.desiredCount} tasks on ${shortArn(service.taskDefinition ?? '')}`);
}
