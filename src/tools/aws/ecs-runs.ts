/** Tasks that are started one at a time, outside of any service. */
import type {Task} from '@aws-sdk/client-ecs';
import {DeployError} from '../../release/errors.ts';
import type {Json} from '../../release/json.ts';
import {type AwsOptions, clients, lazy, read, write} from './session.ts';

export type EcsRun = Task;

export interface EcsRuns {
  /** Starts one task; gives its ARN. Throws where ECS answers that it could not be placed, which it does with HTTP 200. */
  run(input: {readonly [key: string]: Json}, sleep: (ms: number) => Promise<void>): Promise<string>;
  /** The family's task that carries this `startedBy`, running or stopped within about an hour; undefined where there is none. */
  startedBy(cluster: string | undefined, family: string, startedBy: string): Promise<string | undefined>;
  task(cluster: string | undefined, arn: string): Promise<EcsRun | undefined>;
}

export function createEcsRuns(options: AwsOptions): EcsRuns {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-ecs');
    return {
      ...module,
      ...clients(module.ECSClient, options, 'ECS'),
    };
  });
  return {
    run: async (input, sleep) => {
      const {writer, RunTaskCommand} = await sdk();
      type Input = ConstructorParameters<typeof RunTaskCommand>[0];
      // The settings came from a target that AWS has checked, and RunTask refuses what it does not know.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const command = new RunTaskCommand(input as unknown as Input);
      const {tasks = [], failures = []} = await write(options, 'ecs:RunTask', () => writer.send(command), sleep);
      const arn = tasks[0]?.taskArn;
      if (arn !== undefined) return arn;
      const why = failures.map(({reason, detail}) => [reason, detail].filter(Boolean).join(': ')).join('; ');
      throw new DeployError(`ECS could not start the task: ${why || 'it gives no reason'}`);
    },
    // Found by family: a filter by `startedBy` must be the only one, and would find no stopped task (facts/aws.md, limits).
    startedBy: (cluster, family, startedBy) =>
      read(options, 'ecs:ListTasks', async () => {
        const {reader, ListTasksCommand, DescribeTasksCommand} = await sdk();
        for (const desiredStatus of ['RUNNING', 'STOPPED'] as const) {
          let next: string | undefined;
          do {
            const filter = {cluster, family, desiredStatus};
            const {taskArns = [], nextToken} = await reader.send(
              new ListTasksCommand({...filter, ...(next && {nextToken: next})}),
            );
            const {tasks = []} =
              taskArns.length === 0 ? {} : await reader.send(new DescribeTasksCommand({cluster, tasks: taskArns}));
            const arn = tasks.find(task => task.startedBy === startedBy)?.taskArn;
            if (arn !== undefined) return arn;
            next = nextToken;
          } while (next !== undefined);
        }
        return undefined;
      }),
    task: (cluster, arn) =>
      read(options, 'ecs:DescribeTasks', async () => {
        const {reader, DescribeTasksCommand} = await sdk();
        const {tasks} = await reader.send(new DescribeTasksCommand({cluster, tasks: [arn]}));
        return tasks?.[0];
      }),
  };
}
