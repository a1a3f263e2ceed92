import {DescribeTasksCommand, ListTasksCommand, RunTaskCommand, type Task} from '@aws-sdk/client-ecs';
import {expect, test} from 'vitest';
import {the} from './rollout-story.ts';
import {image, story} from './story.ts';

/** A cluster, and a task definition whose tasks can be run. */
async function loader() {
  const told = await story();
  const {world, ecs} = told;
  world.createCluster('main');
  const digest = world.putImage('journal', '1.0.0');
  const register = (tag: string) =>
    world.registerTaskDefinition({family: 'journal', containerDefinitions: [{name: 'loader', image: image('journal', tag)}]});
  register('1.0.0');
  const look = async (taskArn: string | undefined): Promise<Task> => {
    const {tasks = []} = await ecs.send(new DescribeTasksCommand({cluster: 'main', tasks: [the(taskArn)]}));
    return the(tasks[0]);
  };
  return {...told, digest, register, look};
}

const run = {cluster: 'main', taskDefinition: 'journal'};

test('a task is run once, and ends by itself with its work done', async () => {
  const {ecs, look, clock, digest} = await loader();
  const {tasks = [], failures} = await ecs.send(new RunTaskCommand({...run, startedBy: 'deploy-wizard/1'}));
  expect(failures).toEqual([]);
  expect(tasks).toMatchObject([{lastStatus: 'PROVISIONING', startedBy: 'deploy-wizard/1', group: 'family:journal'}]);

  clock.pass(6);
  expect(await look(tasks[0]?.taskArn)).toMatchObject({lastStatus: 'RUNNING', containers: [{imageDigest: digest}]});
  expect((await ecs.send(new ListTasksCommand({cluster: 'main', startedBy: 'deploy-wizard/1'}))).taskArns).toHaveLength(1);

  clock.pass(6);
  expect(await look(tasks[0]?.taskArn)).toMatchObject({
    lastStatus: 'STOPPED',
    stopCode: 'EssentialContainerExited',
    containers: [{exitCode: 0}],
  });
  const stopped = await ecs.send(new ListTasksCommand({cluster: 'main', family: 'journal', desiredStatus: 'STOPPED'}));
  expect(stopped.taskArns).toEqual([tasks[0]?.taskArn]);
});

test('a run in a scenario ends as the scenario says', async () => {
  const {ecs, world, look, clock} = await loader();
  world.scenarioFor('journal', 'crash-loop');
  const {tasks = []} = await ecs.send(new RunTaskCommand(run));
  clock.pass(10);
  expect(await look(tasks[0]?.taskArn)).toMatchObject({containers: [{exitCode: 1}]});
});

test('a run whose image is not there never starts', async () => {
  const {ecs, register, look, clock} = await loader();
  register('9.9.9');
  const {tasks = []} = await ecs.send(new RunTaskCommand(run));
  clock.pass(10);
  const task = await look(tasks[0]?.taskArn);
  expect(task).toMatchObject({stopCode: 'TaskFailedToStart', stoppedReason: expect.stringContaining('CannotPullContainerError')});
  expect(task.startedAt).toBeUndefined();
});

test('a repeat with the same client token starts nothing', async () => {
  const {ecs} = await loader();
  const first = await ecs.send(new RunTaskCommand({...run, clientToken: 'once'}));
  const again = await ecs.send(new RunTaskCommand({...run, clientToken: 'once'}));
  const other = await ecs.send(new RunTaskCommand(run));
  expect(again.tasks?.[0]?.taskArn).toBe(first.tasks?.[0]?.taskArn);
  expect(other.tasks?.[0]?.taskArn).not.toBe(first.tasks?.[0]?.taskArn);
});
