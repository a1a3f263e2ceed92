import type {ServiceState} from './model.ts';

/** The target group that a service is behind: the first, if it has several. */
export function targetGroupOf({declared}: Pick<ServiceState, 'declared'>): string | undefined {
  const {loadBalancers} = declared;
  return Array.isArray(loadBalancers) ? loadBalancers.map(arnOf).find(arn => arn !== undefined) : undefined;
}

const arnOf = (loadBalancer: unknown): string | undefined =>
  typeof loadBalancer === 'object' &&
  loadBalancer !== null &&
  'targetGroupArn' in loadBalancer &&
  typeof loadBalancer.targetGroupArn === 'string'
    ? loadBalancer.targetGroupArn
    : undefined;
