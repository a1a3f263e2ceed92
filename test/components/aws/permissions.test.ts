/** What AWS has to allow: the table against every call that is made, and preflight against what is not allowed. */
import {readFile, readdir} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, test, vi} from 'vitest';
import {type Work, permissions} from '../../../src/components/aws/permissions.ts';
import {releaseCommand} from '../../../src/commands/release.ts';
import type {World} from '../../../src/emulator/index.ts';
import {deskAt, speed, unattended} from '../../commands/support/desk.ts';
import {type Pass, type PassConfig, account, before, componentOf, image, region, startPass} from '../../support/pass.ts';
import {eventsOf} from '../../support/program.ts';

// Whole releases, on a machine that has other things to do.
vi.setConfig({testTimeout: 60_000});

const actionsOf = (work: Work): readonly string[] => permissions[work].map(({action}) => action);
const role = (name: string) => `arn:aws:iam::${account}:role/${name}`;

async function release(pass: Pass, ...component: readonly string[]) {
  const desk = deskAt(pass);
  const exitCode = await releaseCommand(desk.context, unattended({...(component.length > 0 && {component})}));
  return {exitCode, output: `${desk.stdout()}${desk.stderr()}`, stdout: desk.stdout()};
}

/** A loader on Batch that is started in all ways, and proves itself before. */
function addBatchLoader(config: PassConfig): void {
  config.components['batch-loader'] = {
    kind: 'batch-job-definition',
    jobDefinition: 'importer',
    images: {default: 'ecr/pass-nihms-loader'},
    targets: [{rule: 'import-weekly'}, {schedule: 'import'}, {stateMachine: 'import'}],
    smoke: {within: '10m'},
  };
}

function seedBatchLoader(world: World): void {
  const definition = world.registerJobDefinition({
    jobDefinitionName: 'importer',
    type: 'container',
    containerProperties: {image: image('pass-nihms-loader', before), jobRoleArn: role('import-job')},
  });
  const queue = `arn:aws:batch:${region}:${account}:job-queue/loads`;
  world.createRule({name: 'import-weekly', ScheduleExpression: 'rate(7 days)'});
  world.putTargets({name: 'import-weekly'}, [
    {Id: 'import', Arn: queue, RoleArn: role('pass-events'), BatchParameters: {JobDefinition: definition, JobName: 'import'}},
  ]);
  world.createSchedule({
    name: 'import',
    ScheduleExpression: 'rate(1 day)',
    FlexibleTimeWindow: {Mode: 'OFF'},
    Target: {
      Arn: 'arn:aws:scheduler:::aws-sdk:batch:submitJob',
      RoleArn: role('pass-scheduler'),
      Input: JSON.stringify({JobName: 'import', JobQueue: queue, JobDefinition: definition}),
    },
  });
  world.createStateMachine({
    name: 'import',
    roleArn: role('pass-states'),
    definition: JSON.stringify({
      StartAt: 'Import',
      States: {
        Import: {
          Type: 'Task',
          Resource: 'arn:aws:states:::batch:submitJob.sync',
          Parameters: {JobName: 'import', JobQueue: queue, JobDefinition: definition},
          End: true,
        },
      },
    }),
  });
}

describe('the table', () => {
  test('has every action that the tools name, and no other', async () => {
    const folder = join(import.meta.dirname, '../../../src/tools/aws');
    const files = (await readdir(folder, {recursive: true})).filter(file => file.endsWith('.ts'));
    const text = (await Promise.all(files.map(file => readFile(join(folder, file), 'utf8')))).join('\n');
    const called = [...text.matchAll(/'((?:[a-z]\w*):[A-Z]\w+)'/g)].map(([, action]) => action);
    const known = Object.keys(permissions).flatMap(work => (isWork(work) ? actionsOf(work) : []));
    expect(new Set(known.filter(action => !withoutCall.has(action)))).toEqual(new Set(called));
  });

  /** Asked of AWS by others: by AWS itself, for what we call, and by the registry that images are pushed to. */
  const withoutCall = new Set([
    'iam:PassRole',
    'ecs:TagResource',
    'kms:GenerateDataKey',
    'kms:Decrypt',
    'ecr:BatchCheckLayerAvailability',
    'ecr:InitiateLayerUpload',
    'ecr:UploadLayerPart',
    'ecr:CompleteLayerUpload',
    'ecr:PutImage',
  ]);
  const isWork = (name: string): name is Work => Object.hasOwn(permissions, name);

  test.each([
    ['sns-trigger', 'pass-core', 0],
    ['ecs-service', 'deposit-services', 0],
    ['ecs-scheduled-task', 'grant-loader', 0],
    ['batch-job-definition', 'batch-loader', 0],
  ] as const)('has for %s what a release of one calls', async (kind, component, expected) => {
    const pass = await startPass({speed, config: addBatchLoader});
    seedBatchLoader(pass.world);
    const {exitCode, output} = await release(pass, component);
    expect(exitCode, output).toBe(expected);
    expect(extra(pass, kind)).toEqual([]);
  });

  test('has for a service what a rollout that fails is told with', async () => {
    const pass = await startPass({speed});
    pass.world.scenarioFor('deposit-services', 'crash-loop');
    await release(pass, 'deposit-services');
    expect(extra(pass, 'ecs-service')).toEqual([]);
  });

  const extra = (pass: Pass, kind: Work): readonly string[] => {
    const allowed = new Set(actionsOf(kind));
    return [...new Set(pass.calls.map(({service, action}) => `${service}:${action}`))].filter(action => !allowed.has(action));
  };
});

describe('preflight', () => {
  const checks = async (pass: Pass) => {
    const all = eventsOf(await pass.record(), 'check').map(({check}) => check);
    return new Map(all.map(check => [check.claim, check]));
  };

  test('names what is not allowed, on what, before anything is touched', async () => {
    const pass = await startPass({speed});
    pass.world.deny('ecs:UpdateService');
    pass.world.deny('iam:PassRole', role('pass-task'));
    pass.world.deny('iam:PassRole', role('pass-execution'));
    pass.world.deny('events:PutTargets');
    pass.world.deny('sns:Publish');
    const {exitCode, output} = await release(pass);
    expect(exitCode).toBe(1);
    expect(output).toContain(`ecs:UpdateService on arn:aws:ecs:${region}:${account}:service/pass/deposit-services`);
    for (const name of ['pass-task', 'pass-execution']) expect(output).toContain(`iam:PassRole on ${role(name)}`);
    expect(output).toContain(`events:PutTargets on arn:aws:events:${region}:${account}:rule/grant-nightly`);
    expect(output).toContain(`sns:Publish on arn:aws:sns:${region}:${account}:pass-deploy`);
    expect(pass.changes().filter(action => action !== 'SimulatePrincipalPolicy')).toEqual([]);
  });

  test('asks for the roles that targets and schedules are given, too', async () => {
    const pass = await startPass({speed, config: addBatchLoader});
    seedBatchLoader(pass.world);
    for (const name of ['pass-scheduler', 'pass-events', 'import-job']) pass.world.deny('iam:PassRole', role(name));
    const {exitCode} = await release(pass, 'batch-loader');
    expect(exitCode).toBe(1);
    const check = (await checks(pass)).get('batch-loader permissions');
    expect(check).toMatchObject({status: 'failed', next: 'Ask for these permissions, or use other credentials.'});
    for (const name of ['pass-scheduler', 'pass-events', 'import-job'])
      expect(check?.found).toContain(`iam:PassRole on ${role(name)}`);
  });

  test('only warns of what would explain a failure', async () => {
    const pass = await startPass({speed});
    pass.world.deny('ecs:ListServiceDeployments');
    pass.world.deny('logs:GetLogEvents');
    const {exitCode} = await release(pass, 'deposit-services');
    expect(exitCode).toBe(0);
    expect((await checks(pass)).get('deposit-services permissions')).toMatchObject({
      status: 'warned',
      found: expect.stringMatching(
        /^without .*logs:GetLogEvents on arn:aws:logs:.*:log-group:\/ecs\/deposit-services:log-stream:\*.*: less would be known of a failure$/,
      ),
      evidence: expect.arrayContaining([
        expect.stringMatching(/^not allowed: ecs:ListServiceDeployments on .*:service\/pass\/deposit-services$/),
      ]),
    });
  });

  test('says that it cannot ask where it may not, and goes on', async () => {
    const pass = await startPass({speed});
    pass.world.deny('iam:*');
    const {exitCode} = await release(pass, 'pass-core');
    expect(exitCode).toBe(0);
    expect((await checks(pass)).get('pass-core permissions')).toMatchObject({
      status: 'open',
      found: expect.stringMatching(/^cannot be asked: not allowed to call iam:SimulatePrincipalPolicy/),
    });
  });

  test('is not sure where the topic’s own policy may allow it', async () => {
    const pass = await startPass({
      speed,
      config: config => Object.assign(componentOf(config, 'pass-core'), {topic: 'open-deploy', verify: 'none'}),
    });
    const Policy = JSON.stringify({Statement: [{Effect: 'Allow', Principal: '*', Action: 'sns:Publish', Resource: '*'}]});
    const topic = pass.world.createTopic({name: 'open-deploy', attributes: {Policy}});
    pass.world.deny('sns:Publish', topic);
    const {exitCode} = await release(pass, 'pass-core');
    expect(exitCode).toBe(0);
    expect((await checks(pass)).get('pass-core permissions')).toMatchObject({
      status: 'warned',
      found: `without sns:Publish on ${topic}: it may not work; IAM cannot tell for sure`,
    });
  });
});
