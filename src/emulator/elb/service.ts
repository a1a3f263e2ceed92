import * as z from 'zod';
import {actionsOf, type Service} from '../action.ts';
import {AwsError} from '../errors.ts';
import {paginate} from '../pagination.ts';
import {numbered} from '../protocol/query.ts';
import {type TargetGroup, targetGroupAt, targetsOf} from './target-groups.ts';

const codes = {invalidInput: 'ValidationError', internal: 'InternalFailure'};
const action = actionsOf(codes);

const list = z.object({member: z.record(z.string(), z.string())}).transform(({member}) => numbered(member));

export const elb: Service = {
  name: 'elasticloadbalancing',
  wire: {
    protocol: 'query',
    version: '2015-12-01',
    namespace: 'http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/',
  },
  codes,
  actions: {
    DescribeTargetGroups: action(
      z.object({
        TargetGroupArns: list.optional(),
        Names: list.optional(),
        PageSize: z.coerce.number().int().min(1).max(400).default(400),
        Marker: z.string().optional(),
      }),
      (account, {TargetGroupArns: arns, Names: names, PageSize, Marker}) => {
        const all = arns?.map(arn => targetGroupAt(account, arn)) ?? [...account.targetGroups.values()];
        const wanted = names?.map(name => named(all, name)) ?? all;
        const {items, nextToken} = paginate(wanted, {limit: PageSize, token: Marker, invalid: codes.invalidInput});
        return {TargetGroups: items.map(view), NextMarker: nextToken};
      },
    ),

    DescribeTargetHealth: action(z.looseObject({TargetGroupArn: z.string()}), (account, {TargetGroupArn}) => {
      const group = targetGroupAt(account, TargetGroupArn);
      return {
        TargetHealthDescriptions: targetsOf(account, group).map(({address, health}) => ({
          Target: {Id: address, Port: group.port},
          HealthCheckPort: String(group.port),
          TargetHealth: health,
        })),
      };
    }),
  },
};

function named(groups: readonly TargetGroup[], wanted: string): TargetGroup {
  const group = groups.find(({name}) => name === wanted);
  if (group === undefined) throw new AwsError('TargetGroupNotFound', 'One or more target groups not found');
  return group;
}

const view = ({name, arn, port}: TargetGroup) => ({
  TargetGroupArn: arn,
  TargetGroupName: name,
  Protocol: 'HTTP',
  Port: port,
  VpcId: 'vpc-0a1b2c3d',
  HealthCheckProtocol: 'HTTP',
  HealthCheckPort: 'traffic-port',
  HealthCheckEnabled: true,
  HealthCheckIntervalSeconds: 30,
  HealthCheckTimeoutSeconds: 5,
  HealthyThresholdCount: 5,
  UnhealthyThresholdCount: 2,
  HealthCheckPath: '/health',
  Matcher: {HttpCode: '200'},
  LoadBalancerArns: [],
  TargetType: 'ip',
  ProtocolVersion: 'HTTP1',
  IpAddressType: 'ipv4',
});
