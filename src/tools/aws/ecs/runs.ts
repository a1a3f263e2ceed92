/** Tasks that are started one at a time, outside of any service. */
import type {Task} from '@aws-sdk/client-ecs';
import {DeployError} from '../../../release/errors.ts';
import type {Json} from '../../../release/json.ts';
import type {EcsSdk} from './sdk.ts';

export type EcsRun = Task;

export interface Runs {
  /** Starts one task; gives its ARN. Throws where ECS answers that it could not be placed, which it does with HTTP 200. */
  run(input: {readonly [key: string]: Json}, sleep: (ms: number) => Promise<void>): Promise<string>;
  /** The family's task that carries this `startedBy`, running or stopped within about an hour; undefined where there is none. */
  startedBy(cluster: string | undefined, family: string, startedBy: string): Promise<string | undefined>;
  task(cluster: string | undefined, arn: string): Promise<EcsRun | undefined>;
}

export function runs({load, session}: EcsSdk): Runs {
  const describe = async (cluster: string | undefined, arns: readonly string[]): Promise<readonly EcsRun[]> => {
    if (arns.length === 0) return [];
    const {tasks = []} = await session.read('ecs:DescribeTasks', async () => {
      const {reader, DescribeTasksCommand} = await load();
      return reader.send(new DescribeTasksCommand({cluster, tasks: [...arns]}));
    });
    return tasks;
  };

  return {
    run: async (input, sleep) => {
      const {writer, RunTaskCommand} = await load();
      type Input = ConstructorParameters<typeof RunTaskCommand>[0];
      // The settings came from a target that AWS has checked, and RunTask refuses what it does not know.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const command = new RunTaskCommand(input as unknown as Input);
      const {tasks = [], failures = []} = await session.write('ecs:RunTask', () => writer.send(command), sleep);
      const arn = tasks[0]?.taskArn;
      if (arn !== undefined) return arn;
      const why = failures.map(({reason, detail}) => [reason, detail].filter(Boolean).join(': ')).join('; ');
      throw new DeployError(`ECS could not start the task: ${why || 'it gives no reason'}`);
    },
    // Found by family: a filter by `startedBy` must be the only one, and would find no stopped task (facts/aws.md, limits).
    startedBy: async (cluster, family, startedBy) => {
      for (const desiredStatus of ['RUNNING', 'STOPPED'] as const) {
        let next: string | undefined;
        do {
          const token = next;
          const {taskArns = [], nextToken} = await session.read('ecs:ListTasks', async () => {
            const {reader, ListTasksCommand} = await load();
            return reader.send(new ListTasksCommand({cluster, family, desiredStatus, ...(token && {nextToken: token})}));
          });
          const arn = (await describe(cluster, taskArns)).find(task => task.startedBy === startedBy)?.taskArn;
          if (arn !== undefined) return arn;
          next = nextToken;
        } while (next);
      }
      return undefined;
    },
    task: async (cluster, arn) => (await describe(cluster, [arn]))[0],
  };
}
