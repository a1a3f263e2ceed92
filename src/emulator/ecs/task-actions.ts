import {z} from 'zod';
import type {Action} from '../action.ts';
import {type Account, arnIn} from '../account.ts';
import {AwsError} from '../errors.ts';
import {shortName} from '../naming.ts';
import {paginate} from '../pagination.ts';
import {clusterNamed} from './clusters.ts';
import {isWanted} from './lifecycle.ts';
import type {ServiceState, Task} from './model.ts';
import {action, cluster, codes, lookUp, pageOf, pageRequest} from './schemas.ts';
import {allServices, serviceNamed} from './services.ts';
import {revisionOf} from './state.ts';
import {taskArn, taskView} from './task-view.ts';

interface Placed {
  readonly service: ServiceState;
  readonly task: Task;
}

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
    const arns = tasksIn(account, input.cluster)
      .filter(placed => FILTERS.every(keep => keep(placed, input)))
      .map(({service, task}) => taskArn(account, service, task));
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
    return {tasks: found.map(({service, task}) => taskView(account, service, task)), failures};
  }),
};

/** One for each parameter of ListTasks; without the parameter it lets everything through. */
const FILTERS: readonly ((placed: Placed, input: z.infer<typeof listTasks>) => boolean)[] = [
  ({service}, {serviceName}) => serviceName === undefined || service.name === shortName(serviceName),
  ({task}, {startedBy}) => startedBy === undefined || task.rolloutId === startedBy,
  ({service, task}, {family}) =>
    family === undefined || shortName(revisionOf(service, task.revisionId).taskDefinition).split(':')[0] === family,
  // ECS never sets a desired status of PENDING: asking for it gives nothing.
  ({service, task}, {desiredStatus}) => desiredStatus === (isWanted(task, service.at) ? 'RUNNING' : 'STOPPED'),
];

function tasksIn(account: Account, clusterNameOrArn: string): readonly Placed[] {
  const {name} = clusterNamed(account, clusterNameOrArn);
  return allServices(account)
    .filter(({clusterName}) => clusterName === name)
    .flatMap(service => service.tasks.map(task => ({service, task})));
}
