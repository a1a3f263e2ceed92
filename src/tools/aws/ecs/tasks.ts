/** The tasks of services. */
import type {Task} from '@aws-sdk/client-ecs';
import {batched} from '../batched.ts';
import {paged} from '../paged.ts';
import type {EcsSdk} from './sdk.ts';

export type EcsTask = Task;

export interface Tasks {
  /**
   * The tasks of a service by what they are meant to be. Each says which deployment started it. Those of `known` (by
   * ARN) are given as they are there and not asked for again.
   */
  tasks(
    cluster: string,
    service: string,
    desired: 'RUNNING' | 'STOPPED',
    known?: ReadonlyMap<string, EcsTask>,
  ): Promise<readonly EcsTask[]>;
}

export function tasks({load, session}: EcsSdk): Tasks {
  // A hundred a call is DescribeTasks' limit; those of several services go out together.
  const describe = batched<EcsTask>(100, async (cluster, arns) => {
    const {tasks: found = []} = await session.read('ecs:DescribeTasks', async () => {
      const {reader, DescribeTasksCommand} = await load();
      return reader.send(new DescribeTasksCommand({cluster, tasks: [...arns]}));
    });
    return arns.map(arn => found.find(({taskArn}) => taskArn === arn));
  });

  return {
    tasks: async (cluster, service, desired, known = new Map()) => {
      const {found: arns} = await paged({
        ask: nextToken =>
          session.read('ecs:ListTasks', async () => {
            const {reader, ListTasksCommand} = await load();
            return reader.send(new ListTasksCommand({cluster, serviceName: service, desiredStatus: desired, nextToken}));
          }),
        items: ({taskArns = []}) => taskArns,
        next: ({nextToken}) => nextToken,
      });
      const found = await Promise.all(arns.map(async arn => known.get(arn) ?? describe(cluster, arn)));
      return found.flatMap(task => task ?? []);
    },
  };
}
