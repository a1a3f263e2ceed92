import * as z from 'zod';
import type {Action} from '../action.ts';
import {paginate} from '../pagination.ts';
import {action, cluster, include, lookUp, pageOf, pageRequest, tags} from './schemas.ts';
import {allServices, createService, findService, serviceArn, serviceNamed, updateService} from './services.ts';
import {serviceView} from './views.ts';

const deploymentConfiguration = z
  .object({
    minimumHealthyPercent: z.int().min(0).optional(),
    maximumPercent: z.int().min(1).optional(),
    deploymentCircuitBreaker: z
      .object({
        enable: z.boolean(),
        rollback: z.boolean(),
        thresholdConfiguration: z
          .object({type: z.enum(['COUNT', 'BOUNDED_PERCENT', 'UNBOUNDED_PERCENT']), value: z.int().min(1)})
          .optional(),
      })
      .optional(),
  })
  .optional();

/** What a service is declared with and only hands back: nothing here acts on it. */
const DECLARED = [
  'networkConfiguration',
  'platformVersion',
  'loadBalancers',
  'serviceRegistries',
  'serviceConnectConfiguration',
  'volumeConfigurations',
  'placementConstraints',
  'placementStrategy',
  'healthCheckGracePeriodSeconds',
  'enableECSManagedTags',
  'enableExecuteCommand',
  'propagateTags',
];

/** The same, and what can be said only once. */
const DECLARED_AT_CREATION = [...DECLARED, 'deploymentController', 'launchType', 'schedulingStrategy', 'tags'];

/** Only what was said: the rest must neither hide a default nor wipe out what was said before. */
const declaredIn = (input: Readonly<Record<string, unknown>>, names: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(names.filter(name => input[name] !== undefined).map(name => [name, input[name]]));

export const serviceActions: Readonly<Record<string, Action>> = {
  CreateService: action(
    z.looseObject({
      cluster,
      serviceName: z.string().regex(/^[\w-]{1,255}$/),
      taskDefinition: z.string(),
      desiredCount: z.int().min(0).default(1),
      deploymentConfiguration,
      tags,
    }),
    (account, input) => {
      const service = createService(account, {
        ...input,
        configuration: input.deploymentConfiguration,
        declared: declaredIn(input, DECLARED_AT_CREATION),
      });
      return {service: serviceView(account, service)};
    },
  ),

  ListServices: action(z.object({cluster, ...pageOf(10)}), (account, input) => {
    const arn = serviceArn(account, input.cluster, '');
    const all = allServices(account).filter(service => service.arn.startsWith(arn));
    const {items, nextToken} = paginate(all, pageRequest(input));
    return {serviceArns: items.map(service => service.arn), nextToken};
  }),

  DescribeServices: action(z.object({cluster, services: z.array(z.string()).min(1).max(10), include}), (account, input) => {
    const {found, failures} = lookUp(
      input.services,
      name => findService(account, input.cluster, name),
      name => serviceArn(account, input.cluster, name),
    );
    const withTags = input.include.includes('TAGS');
    return {
      services: found.map(service => {
        const {tags, ...view}: Readonly<Record<string, unknown>> = serviceView(account, service);
        return withTags ? {...view, tags: tags ?? []} : view;
      }),
      failures,
    };
  }),

  UpdateService: action(
    z.looseObject({
      cluster,
      service: z.string(),
      taskDefinition: z.string().optional(),
      forceNewDeployment: z.boolean().optional(),
      desiredCount: z.int().min(0).optional(),
      deploymentConfiguration,
    }),
    (account, input) => {
      const service = serviceNamed(account, input.cluster, input.service);
      const updated = updateService(account, service, {
        ...input,
        configuration: input.deploymentConfiguration,
        declared: declaredIn(input, DECLARED),
      });
      return {service: serviceView(account, updated)};
    },
  ),
};
