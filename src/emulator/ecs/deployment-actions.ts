import * as z from 'zod';
import {type Account, arnIn} from '../account.ts';
import type {Action} from '../action.ts';
import {AwsError} from '../errors.ts';
import {paginate} from '../pagination.ts';
import {requestRollback, requestStop} from './deploying.ts';
import type {Revision, ServiceDeployment, ServiceState} from './model.ts';
import {change} from './rollout.ts';
import {action, cluster, lookUp, pageOf, pageRequest} from './schemas.ts';
import {allServices, keep, serviceNamed} from './services.ts';
import {deploymentsOf} from './state.ts';
import {arnInService, deploymentBrief, deploymentView, launchTypeOf, seconds} from './views.ts';

/** AWS takes epoch seconds here, as everywhere in JSON. */
const period = z.object({after: z.number().default(0), before: z.number().default(Number.POSITIVE_INFINITY)}).prefault({});

/** Callers know moments to the millisecond, and send them as fractions. */
const isWithin = (at: number, {after, before}: z.infer<typeof period>): boolean =>
  at >= Math.round(after * 1000) && at <= Math.round(before * 1000);

export const deploymentActions: Readonly<Record<string, Action>> = {
  ListServiceDeployments: action(
    z.object({cluster, service: z.string(), status: z.array(z.string()).default([]), createdAt: period, ...pageOf(20)}),
    (account, input) => {
      const service = serviceNamed(account, input.cluster, input.service);
      const wanted = deploymentsOf(service)
        .filter(({status}) => input.status.length === 0 || input.status.includes(status))
        .filter(({createdAt}) => isWithin(Math.floor(createdAt), input.createdAt));
      const {items, nextToken} = paginate(wanted, pageRequest(input));
      return {serviceDeployments: items.map(deployment => deploymentBrief(account, service, deployment)), nextToken};
    },
  ),

  DescribeServiceDeployments: action(z.object({serviceDeploymentArns: z.array(z.string()).min(1).max(20)}), (account, input) => {
    const present = allServices(account);
    const {found, failures} = lookUp(
      input.serviceDeploymentArns,
      arn => findDeployment(account, present, arn),
      arn => arn,
    );
    return {serviceDeployments: found.map(({service, deployment}) => deploymentView(account, service, deployment)), failures};
  }),

  DescribeServiceRevisions: action(z.object({serviceRevisionArns: z.array(z.string()).min(1).max(20)}), (account, input) => {
    const present = allServices(account);
    const {found, failures} = lookUp(
      input.serviceRevisionArns,
      arn => findRevision(account, present, arn),
      arn => arn,
    );
    return {serviceRevisions: found.map(({service, revision}) => revisionView(account, service, revision)), failures};
  }),

  StopServiceDeployment: action(
    z.object({serviceDeploymentArn: z.string(), stopType: z.enum(['ROLLBACK', 'ABORT']).default('ROLLBACK')}),
    (account, {serviceDeploymentArn, stopType}) => {
      const {service, deployment} = deploymentAt(account, serviceDeploymentArn);
      if (deployment.status !== 'PENDING' && deployment.status !== 'IN_PROGRESS') {
        throw new AwsError('ConflictException', `The service deployment is ${deployment.status} and can not be stopped.`);
      }
      const now = account.clock.now();
      keep(
        account,
        change(service, now, state => STOPS[stopType](state, now)),
      );
      return {serviceDeploymentArn};
    },
  ),
};

const STOPS = {ROLLBACK: requestRollback, ABORT: requestStop};

function deploymentAt(account: Account, arn: string): {service: ServiceState; deployment: ServiceDeployment} {
  const found = findDeployment(account, allServices(account), arn);
  if (found === undefined) throw new AwsError('ServiceDeploymentNotFoundException', 'Service deployment not found.');
  return found;
}

function findDeployment(account: Account, services: readonly ServiceState[], arn: string) {
  return services
    .flatMap(service => deploymentsOf(service).map(deployment => ({service, deployment})))
    .find(({service, deployment}) => arnInService(account, 'service-deployment', service, deployment.id) === arn);
}

function findRevision(account: Account, services: readonly ServiceState[], arn: string) {
  return services
    .flatMap(service => service.revisions.map(revision => ({service, revision})))
    .find(({service, revision}) => arnInService(account, 'service-revision', service, revision.id) === arn);
}

const revisionView = (account: Account, service: ServiceState, revision: Revision) => ({
  serviceRevisionArn: arnInService(account, 'service-revision', service, revision.id),
  serviceArn: service.arn,
  clusterArn: arnIn(account, 'ecs', `cluster/${service.clusterName}`),
  taskDefinition: revision.taskDefinition,
  launchType: launchTypeOf(service),
  platformVersion: '1.4.0',
  platformFamily: 'Linux',
  containerImages: revision.images.map(({containerName, image, imageDigest}) => ({containerName, image, imageDigest})),
  networkConfiguration: service.declared['networkConfiguration'],
  guardDutyEnabled: false,
  createdAt: seconds(revision.createdAt),
});
