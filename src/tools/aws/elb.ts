/** What load balancers think of the tasks behind them. */
import {clientConfig} from './clients.ts';
import {type Session, lazy} from './session.ts';

export interface TargetHealth {
  /** `healthy`, `initial`, `unhealthy`, `draining`, `unused`…; an open set. */
  readonly state: string;
  /** Such as `Target.Timeout`. */
  readonly reason: string | undefined;
  readonly description: string | undefined;
}

export interface Elb {
  /** The health of every target of a target group. */
  targetHealth(targetGroup: string): Promise<readonly TargetHealth[]>;
}

export function createElb(session: Session): Elb {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-elastic-load-balancing-v2');
    const config = clientConfig(session.options, 'ELASTIC_LOAD_BALANCING_V2', 'read');
    return {...module, client: new module.ElasticLoadBalancingV2Client(config)};
  });
  return {
    targetHealth: async targetGroup => {
      const {TargetHealthDescriptions = []} = await session.read('elasticloadbalancing:DescribeTargetHealth', async () => {
        const {client, DescribeTargetHealthCommand} = await sdk();
        return client.send(new DescribeTargetHealthCommand({TargetGroupArn: targetGroup}));
      });
      return TargetHealthDescriptions.map(({TargetHealth: health}) => ({
        state: health?.State ?? 'unknown',
        reason: health?.Reason,
        description: health?.Description,
      }));
    },
  };
}
