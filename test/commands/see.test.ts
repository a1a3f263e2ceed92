/** How somebody sees for themselves what an audit says: commands that work as they stand there. */
import {expect, test} from 'vitest';
import {seeOf} from '../../src/commands/audit/see.ts';
import type {Claim} from '../../src/release/model.ts';

const about = (subject: Claim['subject'], where: {region?: string; accountId?: string} = {}) =>
  seeOf({id: 'x', text: 'it is so', subject}, {region: where.region, accountId: where.accountId}, 'otherwise');

const machine = {is: 'stateMachine', machine: 'grant-load'};
const describing = 'aws stepfunctions describe-state-machine --state-machine-arn';

test('a state machine is described by its ARN, wherever the config file names it', () => {
  const definition = 'arn:aws:ecs:us-east-1:333333333333:task-definition/grant-loader:7';
  const arn = 'arn:aws:states:us-east-1:333333333333:stateMachine:grant-load';
  expect(about({is: 'follows', source: machine, entry: 'Load', definition}, {region: 'us-east-1'})).toBe(
    `${describing} ${arn} --region us-east-1`,
  );
  const starts = 'grant-loader:7';
  expect(about({is: 'pin', source: machine, entry: 'Load', starts}, {region: 'us-gov-west-1', accountId: '444444444444'})).toBe(
    `${describing} arn:aws-us-gov:states:us-gov-west-1:444444444444:stateMachine:grant-load --region us-gov-west-1`,
  );
  expect(about({is: 'pin', source: {...machine, machine: arn}, entry: 'Load', starts})).toBe(`${describing} ${arn}`);
  expect(about({is: 'pin', source: machine, entry: 'Load', starts})).toBe('aws stepfunctions list-state-machines');
});

test('whatever else starts a definition is in three lists', () => {
  expect(
    about({is: 'strangers', definition: 'arn:aws:ecs:us-east-1:333333333333:task-definition/x:7'}, {region: 'us-east-1'}),
  ).toBe(
    [
      'aws events list-rules --region us-east-1',
      'aws scheduler list-schedules --region us-east-1',
      'aws stepfunctions list-state-machines --region us-east-1',
    ].join('; '),
  );
});
