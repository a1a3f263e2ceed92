import * as z from 'zod';
import type {Action} from '../action.ts';
import {type Account, arnIn} from '../account.ts';
import {AwsError} from '../errors.ts';
import {shortName} from '../naming.ts';
import {paginate} from '../pagination.ts';
import {clusterNamed} from './clusters.ts';
import {isWanted} from './lifecycle.ts';
import {type PlacedTask, placedTasks} from './placed.ts';
import {familyOf, runTask} from './runs.ts';
import {action, cluster, codes, lookUp, pageOf, pageRequest} from './schemas.ts';
import {serviceNamed} from './services.ts';
import {taskArn, taskView} from './task-view.ts';

const listTasks = z.object({
  cluster,
  serviceName: z.string().optional(),
  family: z.string().optional(),
  startedBy: z.string().optional(),
  desiredStatus: z.enum(['RUNNING', 'PENDING', 'STOPPED']).default('RUNNING'),
  ...pageOf(100),
});

export const taskActions: Readonly<Record<string, Action>> = {
  ListTasks: action(listTasks, (account, input) => {
    if (input.startedBy !== undefined && (input.serviceName ?? input.family) !== undefined) {
      throw new AwsError(codes.invalidInput, 'When you specify startedBy, it must be the only filter that you use.');
    }
    if (input.serviceName !== undefined) serviceNamed(account, input.cluster, input.serviceName);
    const now = account.clock.now();
    const arns = tasksIn(account, input.cluster)
      .filter(placed => FILTERS.every(keep => keep(placed, input, now)))
      .map(placed => taskArn(account, placed));
    const {items, nextToken} = paginate(arns, pageRequest(input));
    return {taskArns: items, nextToken};
  }),

  DescribeTasks: action(z.object({cluster, tasks: z.array(z.string()).min(1).max(100)}), (account, input) => {
    const present = tasksIn(account, input.cluster);
    const {found, failures} = lookUp(
      input.tasks,
      name => present.find(({task}) => task.id === shortName(name)),
      name => arnIn(account, 'ecs', `task/${clusterNamed(account, input.cluster).name}/${shortName(name)}`),
    );
    const now = account.clock.now();
    return {tasks: found.map(placed => taskView(account, placed, now)), failures};
  }),

  // Loose, for network and capacity are taken as they come.
  RunTask: action(
    z.looseObject({
      cluster,
      taskDefinition: z.string(),
      count: z.int().min(1).max(10).default(1),
      startedBy: z.string().max(128).optional(),
      group: z.string().optional(),
      launchType: z.string().optional(),
      overrides: z.looseObject({}).optional(),
      clientToken: z.string().max(64).optional(),
    }),
    (account, input) => {
      const now = account.clock.now();
      return {tasks: runTask(account, input).map(placed => taskView(account, placed, now)), failures: []};
    },
  ),
};

/** One for each parameter of ListTasks; without the parameter it lets everything through. */
const FILTERS: readonly ((placed: PlacedTask, input: z.infer<typeof listTasks>, now: number) => boolean)[] = [
  (placed, {serviceName}) => serviceName === undefined || placed.serviceName === shortName(serviceName),
  (placed, {startedBy}) => startedBy === undefined || placed.startedBy === startedBy,
  ({taskDefinition}, {family}) => family === undefined || familyOf(taskDefinition) === family,
  // ECS never sets a desired status of PENDING: asking for it gives nothing.
  ({task}, {desiredStatus}, now) => desiredStatus === (isWanted(task, now) ? 'RUNNING' : 'STOPPED'),
];

function tasksIn(account: Account, clusterNameOrArn: string): readonly PlacedTask[] {
  const {name} = clusterNamed(account, clusterNameOrArn);
  return placedTasks(account).filter(({clusterName}) => clusterName === name);
}
