import {
  CreateStateMachineCommand,
  DescribeStateMachineCommand,
  ListStateMachinesCommand,
  UpdateStateMachineCommand,
} from '@aws-sdk/client-sfn';
import {expect, test} from 'vitest';
import {the} from './rollout-story.ts';
import {story} from './story.ts';

const definition = (revision: number): string =>
  JSON.stringify({
    StartAt: 'Load',
    States: {
      Load: {
        Type: 'Task',
        Resource: 'arn:aws:states:::batch:submitJob.sync',
        Parameters: {JobName: 'load', JobQueue: 'loaders', JobDefinition: `grants:${revision}`},
        End: true,
      },
    },
  });
const roleArn = 'arn:aws:iam::000000000000:role/states';

test('a definition is replaced, the rest stays, and the revision changes', async () => {
  const {states} = await story();
  const {stateMachineArn} = await states.send(
    new CreateStateMachineCommand({
      name: 'grant-load',
      definition: definition(1),
      roleArn,
      tracingConfiguration: {enabled: true},
    }),
  );
  const machine = () => states.send(new DescribeStateMachineCommand({stateMachineArn}));
  const created = await machine();
  expect(created).toMatchObject({definition: definition(1), roleArn, type: 'STANDARD', status: 'ACTIVE'});
  expect(created.revisionId).toBeUndefined();

  const first = await states.send(new UpdateStateMachineCommand({stateMachineArn, definition: definition(2)}));
  expect(await machine()).toMatchObject({
    definition: definition(2),
    roleArn,
    tracingConfiguration: {enabled: true},
    revisionId: the(first.revisionId),
  });
  const second = await states.send(new UpdateStateMachineCommand({stateMachineArn, definition: definition(3)}));
  expect(second.revisionId).not.toBe(first.revisionId);
});

test('what is no definition is refused, and what is not there is named', async () => {
  const {states, world} = await story();
  const stateMachineArn = world.createStateMachine({name: 'grant-load', definition: definition(1), roleArn});

  await expect(states.send(new UpdateStateMachineCommand({stateMachineArn, definition: '{'}))).rejects.toMatchObject({
    name: 'InvalidDefinition',
  });
  await expect(states.send(new UpdateStateMachineCommand({stateMachineArn}))).rejects.toMatchObject({
    name: 'MissingRequiredParameter',
  });
  await expect(states.send(new DescribeStateMachineCommand({stateMachineArn: `${stateMachineArn}s`}))).rejects.toMatchObject({
    name: 'StateMachineDoesNotExist',
    message: `State Machine Does Not Exist: '${stateMachineArn}s'`,
  });
  await expect(states.send(new DescribeStateMachineCommand({stateMachineArn: 'grant-load'}))).rejects.toMatchObject({
    name: 'InvalidArn',
  });
});

test('state machines come in pages', async () => {
  const {states, world} = await story();
  for (const name of ['a', 'b', 'c']) world.createStateMachine({name, definition: definition(1), roleArn});
  const first = await states.send(new ListStateMachinesCommand({maxResults: 2}));
  const second = await states.send(new ListStateMachinesCommand({maxResults: 2, nextToken: first.nextToken}));
  expect([first, second].map(({stateMachines = []}) => stateMachines.map(({name}) => name))).toEqual([['a', 'b'], ['c']]);
});
