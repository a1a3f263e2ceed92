/** A big release beside the limits that AWS has: what it takes of an account in a second (facts/aws.md, Throttling; quota pages). */
import {expect} from 'vitest';
import type {RecordedCall} from '../../src/emulator/server.ts';
import {type PassConfig, cluster, image, loaderTarget, taskDefinitionArn} from '../support/pass.ts';
import {test} from '../support/pass-test.ts';

/** Calls that AWS counts together, how many it takes at once, and how many a second. */
const limits = [
  {burst: 20, perSecond: 1, calls: ['RegisterTaskDefinition']},
  {burst: 50, perSecond: 20, calls: ['DescribeTaskDefinition', 'ListTaskDefinitions']},
  {burst: 50, perSecond: 5, calls: ['UpdateService', 'StopServiceDeployment']},
  {burst: 100, perSecond: 20, calls: ['DescribeServices', 'ListServices']},
  {burst: 100, perSecond: 20, calls: ['DescribeTasks', 'ListTasks']},
  {burst: 50, perSecond: 20, calls: ['ListServiceDeployments', 'DescribeServiceDeployments']},
  {burst: 50, perSecond: 50, calls: ['DescribeRule', 'ListEventBuses', 'ListRules', 'ListTargetsByRule', 'PutTargets']},
  {burst: 100, perSecond: 20, calls: ['DescribeImages', 'DescribeRepositories']},
  {burst: 20, perSecond: 5, calls: ['SimulatePrincipalPolicy']},
  {burst: 15, perSecond: 15, calls: ['GetRole']},
  {burst: 50, perSecond: 50, calls: ['GetSchedule']},
] as const;

/** How many of the calls AWS would have refused: a bucket holds a burst and fills up at its rate. */
function refused(calls: readonly RecordedCall[], {burst, perSecond, calls: counted}: (typeof limits)[number]): number {
  const bucket = {left: burst as number, at: 0, refused: 0};
  for (const {action, at} of calls) {
    if (!counted.some(name => name === action)) continue;
    bucket.left = Math.min(burst, bucket.left + ((at - bucket.at) / 1000) * perSecond);
    bucket.at = at;
    if (bucket.left >= 1) bucket.left -= 1;
    else bucket.refused += 1;
  }
  return bucket.refused;
}

const eight = Array.from({length: 8}, (_, index) => index);
const containers = [{name: 'loader', image: image('pass-core', '1.13.2'), essential: true}];

const many = (config: PassConfig): void => {
  const images = {loader: 'ecr/pass-core'};
  config.components = Object.fromEntries(
    eight.flatMap(index => [
      [`service-${index}`, {kind: 'ecs-service', cluster, service: `service-${index}`, images}],
      [`rule-${index}`, {kind: 'ecs-scheduled-task', family: `rule-${index}`, images, targets: [{rule: `rule-${index}`}]}],
      [
        `schedule-${index}`,
        {kind: 'ecs-scheduled-task', family: `schedule-${index}`, images, targets: [{schedule: `schedule-${index}`}]},
      ],
    ]),
  );
};

test('twenty-four components at once: AWS would not refuse one call for coming too early', async ({start}) => {
  const {world, release, calls} = await start({speed: 60, config: many});
  for (const index of eight) {
    for (const family of [`service-${index}`, `rule-${index}`, `schedule-${index}`])
      world.registerTaskDefinition({family, containerDefinitions: containers});
    world.createService({cluster, service: `service-${index}`, taskDefinition: `service-${index}:1`, desiredCount: 1});
    const {EcsParameters, Arn, RoleArn = ''} = loaderTarget('loader', taskDefinitionArn(`rule-${index}:1`));
    world.createRule({name: `rule-${index}`, ScheduleExpression: 'rate(1 day)'});
    world.putTargets({name: `rule-${index}`}, [{Id: 'loader', Arn, RoleArn, EcsParameters}]);
    world.createSchedule({
      name: `schedule-${index}`,
      ScheduleExpression: 'rate(1 day)',
      FlexibleTimeWindow: {Mode: 'OFF'},
      Target: {Arn, RoleArn, EcsParameters: {...EcsParameters, TaskDefinitionArn: taskDefinitionArn(`schedule-${index}:1`)}},
    });
  }

  const {exitCode, stdout, stderr} = await release('--max-parallel', '24');
  expect(exitCode, `${stdout}${stderr}`).toBe(0);
  expect(calls.length).toBeLessThan(1000); // All of them: the endpoint remembers a thousand.
  expect(calls.filter(({action}) => action === 'RegisterTaskDefinition')).toHaveLength(24);
  const much = limits.map(limit => [limit.calls.join(), refused(calls, limit)]);
  expect(much.filter(([, count]) => count !== 0)).toEqual([]);
});
