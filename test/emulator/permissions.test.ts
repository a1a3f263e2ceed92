import {DescribeClustersCommand} from '@aws-sdk/client-ecs';
import {ListSchedulesCommand} from '@aws-sdk/client-scheduler';
import {GetRoleCommand, SimulatePrincipalPolicyCommand} from '@aws-sdk/client-iam';
import {PublishCommand} from '@aws-sdk/client-sns';
import {expect, test} from 'vitest';
import {story, type Story} from './story.ts';

const role = 'arn:aws:iam::000000000000:role/release-manager';

/** What the simulation decides, as `action on resource: decision`. */
async function simulate({iam}: Story, ActionNames: string[], ResourceArns?: string[]): Promise<string[]> {
  const {EvaluationResults = []} = await iam.send(
    new SimulatePrincipalPolicyCommand({
      PolicySourceArn: role,
      ActionNames,
      ResourceArns,
      ContextEntries: [
        {ContextKeyName: 'iam:PassedToService', ContextKeyType: 'string', ContextKeyValues: ['ecs-tasks.amazonaws.com']},
      ],
    }),
  );
  return EvaluationResults.flatMap(({EvalActionName, EvalResourceName, EvalDecision, ResourceSpecificResults = []}) =>
    ResourceSpecificResults.length === 0
      ? `${EvalActionName} on ${EvalResourceName}: ${EvalDecision}`
      : ResourceSpecificResults.map(one => `${EvalActionName} on ${one.EvalResourceName}: ${one.EvalResourceDecision}`),
  );
}

test('everything is allowed that was not taken away', async () => {
  const told = await story();
  told.world.deny('ecs:UpdateService');
  told.world.deny('iam:PassRole', 'arn:aws:iam::000000000000:role/admin*');

  expect(await simulate(told, ['ecs:UpdateService', 'ecs:DescribeServices'])).toEqual([
    'ecs:UpdateService on *: implicitDeny',
    'ecs:DescribeServices on *: allowed',
  ]);
  const roles = ['arn:aws:iam::000000000000:role/task', 'arn:aws:iam::000000000000:role/admin-task'];
  expect(await simulate(told, ['iam:PassRole'], roles)).toEqual([
    `iam:PassRole on ${roles[0]}: allowed`,
    `iam:PassRole on ${roles[1]}: implicitDeny`,
  ]);
});

test('who is not allowed is told so by the call itself, in the words of its service', async () => {
  const {ecs, sns, scheduler, iam, world} = await story();
  world.createCluster('main');
  const TopicArn = world.createTopic({name: 'pass-deploy'});
  for (const action of ['ecs:Describe*', 'sns:Publish', 'scheduler:*', 'iam:SimulatePrincipalPolicy']) world.deny(action);

  const message = expect.stringMatching(
    /^User: arn:aws:sts::000000000000:assumed-role\/release-manager\/demo is not authorized to perform: \w+:\w+ on resource/,
  );
  await expect(ecs.send(new DescribeClustersCommand({}))).rejects.toMatchObject({name: 'AccessDeniedException', message});
  await expect(sns.send(new PublishCommand({TopicArn, Message: 'deploy'}))).rejects.toMatchObject({
    name: 'AuthorizationErrorException',
    message,
  });
  await expect(scheduler.send(new ListSchedulesCommand({}))).rejects.toMatchObject({name: 'AccessDeniedException', message});
  await expect(
    iam.send(new SimulatePrincipalPolicyCommand({PolicySourceArn: role, ActionNames: ['ecs:UpdateService']})),
  ).rejects.toMatchObject({name: 'AccessDenied', message});
  expect(world.published).toEqual([]);
});

test('the simulation wants a role, not the session that STS names', async () => {
  const {iam} = await story();
  const ask = (PolicySourceArn: string) =>
    iam.send(new SimulatePrincipalPolicyCommand({PolicySourceArn, ActionNames: ['ecs:UpdateService']}));

  await expect(ask('arn:aws:sts::000000000000:assumed-role/release-manager/demo')).rejects.toMatchObject({
    name: 'InvalidInputException',
  });
  await expect(ask('arn:aws:iam::999999999999:role/release-manager')).rejects.toMatchObject({name: 'NoSuchEntityException'});
  expect((await iam.send(new GetRoleCommand({RoleName: 'release-manager'}))).Role?.Arn).toBe(role);
  await expect(iam.send(new GetRoleCommand({RoleName: 'other'}))).rejects.toMatchObject({name: 'NoSuchEntityException'});
});
