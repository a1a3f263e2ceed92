/** What must be true of a service before it is released to. */
import * as z from 'zod';
import type {Check, Claim} from '../../release/model.ts';
import {withoutSession} from '../aws/requirements.ts';
import {correctImages, missingContainer, shortArn} from '../aws/task-definition.ts';
import type {Named} from '../../release/contract.ts';
import type {Io} from '../io.ts';
import {failed, passed, warned} from '../verdict.ts';
import type {Config} from './settings.ts';
import {motionOf} from './standing.ts';

export function serviceClaim({id, cluster, service, images}: Named<Config>): Claim {
  return {
    id: `${id} service`,
    text: `${id}: service ${service} in ${cluster}`,
    subject: {is: 'service', cluster, service, containers: Object.keys(images)},
    // Later it is our own deployment that is in flight.
    once: true,
  };
}

const subject = z.object({
  is: z.literal('service'),
  cluster: z.string(),
  service: z.string(),
  containers: z.array(z.string()),
});

/** The look at that claim; undefined for any other. */
export function checkRequirement(component: Named<Config>, claim: Claim, io: Io): Promise<Check> | undefined {
  const {data} = subject.safeParse(claim.subject);
  return data && checkService(component, claim, data, io);
}

async function checkService(
  component: {readonly id: string},
  claim: Claim,
  {cluster, service: name, containers}: z.infer<typeof subject>,
  io: Io,
): Promise<Check> {
  const unseen = await withoutSession(claim, io);
  if (unseen) return unseen;
  const see = `aws ecs describe-services --cluster ${cluster} --services ${name}`;
  // One that was deleted is INACTIVE for a while.
  if (((await io.aws.ecs.cluster(cluster))?.status ?? 'INACTIVE') === 'INACTIVE') {
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
      next: 'Only deployments of ECS itself are there yet in this version of deploy-wizard.',
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
  const motion = await motionOf(cluster, service, io);
  switch (motion.is) {
    case 'steady':
      return passed(
        claim,
        `${service.runningCount} of ${service.desiredCount} tasks on ${shortArn(service.taskDefinition ?? '')}`,
        {see},
      );
    case 'moving':
      return failed(claim, `another deployment is in flight: ${motion.words}`, {
        next: 'Wait for it, or stop it in ECS, then try again.',
        see,
      });
    case 'failing':
      return warned(claim, `a deployment is in flight and does not get anywhere: ${motion.words}`, {
        next: 'A release takes its place.',
        see,
      });
    case 'failed':
      return warned(claim, motion.words, {next: 'A release takes its place.', see});
  }
}
