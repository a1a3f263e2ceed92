/** Answers that are none of AWS's: of a proxy, or cut off. */
import type {ServerResponse} from 'node:http';
import {describe, expect, test} from 'vitest';
import {LostAnswerError} from '../../../src/release/errors.ts';
import {type Aws, createAws} from '../../../src/tools/aws/index.ts';
import {type TestServer, serve} from '../server.ts';

const noWait = () => Promise.resolve();
const awsAt = ({url}: TestServer): Aws =>
  createAws({
    region: 'us-east-1',
    profile: undefined,
    login: undefined,
    env: {AWS_ENDPOINT_URL: url, AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret'},
  });

const answers: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'a page that asks for a login': response => void response.writeHead(200, {'content-type': 'text/html'}).end('<p>Log in'),
  'nothing at all': response => void response.writeHead(200).end(),
  'half an answer': response => {
    response.writeHead(200, {'content-length': 500}).write('{"taskDefinition": {"taskDef');
    setTimeout(() => response.destroy(), 20);
  },
};

const changes: Readonly<Record<string, (aws: Aws) => Promise<unknown>>> = {
  'a revision': ({ecs}) => ecs.register({family: 'web'}, noWait),
  'a revision of a job definition': ({batch}) => batch.register({jobDefinitionName: 'load'}, noWait),
  'a job': ({batch}) => batch.submit({jobName: 'load'}, noWait),
  'a message': ({sns}) =>
    sns.publish({topic: 'arn:aws:sns:us-east-1:000000000000:deploy', message: '{}', attributes: {}, fifo: null}, noWait),
};

describe.each(Object.entries(answers))('success, and %s', (_what, answer) => {
  test.each(Object.entries(changes))('nobody knows whether it made %s, and it is not sent again', async (_made, change) => {
    await using server = await serve((_request, response) => answer(response));
    await expect(change(awsAt(server))).rejects.toThrow(LostAnswerError);
    expect(server.requests).toHaveLength(1);
  });
});

test('a page of a proxy is told in words of this tool', async () => {
  await using server = await serve((_request, response) => void response.writeHead(403).end('<html>Forbidden</html>'));
  await expect(awsAt(server).ecs.register({family: 'web'}, noWait)).rejects.toMatchObject({
    message: 'ecs:RegisterTaskDefinition failed: the answer (HTTP 403) is none that AWS gives, or only a part of one',
    next: ['Look at what is between here and AWS: a proxy, a VPN, AWS_ENDPOINT_URL.'],
  });
});

/** An IAM that does not take `no ARN`, and that decides of `odd:*` by the action alone where it is asked about several resources. */
const strictIam = () =>
  serve(async (request, response) => {
    let body = '';
    for await (const part of request) body += String(part);
    const asked = [...new URLSearchParams(body)];
    const [actions = [], resources = []] = ['ActionNames', 'ResourceArns'].map(list =>
      asked.flatMap(([name, value]) => (name.startsWith(`${list}.`) ? [value] : [])),
    );
    response.setHeader('content-type', 'text/xml');
    if (resources.includes('no ARN')) {
      const error = '<Error><Type>Sender</Type><Code>InvalidInput</Code><Message>Invalid ARN</Message></Error>';
      return void response.writeHead(400).end(`<ErrorResponse>${error}</ErrorResponse>`);
    }
    const each = resources.map(
      arn => `<member><EvalResourceName>${arn}</EvalResourceName><EvalResourceDecision>allowed</EvalResourceDecision></member>`,
    );
    const results = actions.map(action => {
      const [decision, named] = action.startsWith('odd:') ? ['implicitDeny', []] : ['allowed', each];
      return `<member><EvalActionName>${action}</EvalActionName><EvalDecision>${decision}</EvalDecision><ResourceSpecificResults>${named.join('')}</ResourceSpecificResults></member>`;
    });
    const answer = `<SimulatePrincipalPolicyResult><EvaluationResults>${results.join('')}</EvaluationResults></SimulatePrincipalPolicyResult>`;
    response.end(`<SimulatePrincipalPolicyResponse>${answer}</SimulatePrincipalPolicyResponse>`);
  });

const simulation = (server: TestServer, actions: readonly string[]) => {
  const {iam} = awsAt(server);
  return (resource: string) => iam.simulate({principal: 'arn:aws:iam::000000000000:role/x', actions, resources: [resource]});
};

test('a resource that IAM does not take makes nobody else’s permissions unknown', async () => {
  await using server = await strictIam();
  const ask = simulation(server, ['sns:Publish']);
  const [first, second, wrong] = await Promise.allSettled([ask('arn:one'), ask('arn:two'), ask('no ARN')]);
  expect([first, second]).toMatchObject([
    {status: 'fulfilled', value: [{resource: 'arn:one', is: 'allowed'}]},
    {status: 'fulfilled', value: [{resource: 'arn:two', is: 'allowed'}]},
  ]);
  expect(wrong).toMatchObject({status: 'rejected', reason: {message: expect.stringContaining('InvalidInput')}});
});

test('what IAM decides without naming a resource is lost on nobody', async () => {
  await using server = await strictIam();
  const ask = simulation(server, ['sns:Publish', 'odd:Act']);
  const answers = await Promise.all([ask('arn:one'), ask('arn:two')]);
  const denied = answers.map(decisions => decisions.flatMap(({action, is}) => (is === 'allowed' ? [] : [action])));
  expect(denied).toEqual([['odd:Act'], ['odd:Act']]);
});
