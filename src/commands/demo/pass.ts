/** PASS, as its deployment article describes it: a topic, two services, three scheduled loaders. All in the embedded endpoint. */
import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import type {Emulator} from '../../emulator/index.ts';
import {startEmulator} from '../../emulator/index.ts';
import type {Context} from '../context.ts';
import type {DemoOptions, Stage} from './index.ts';
import {serveVersion} from './web.ts';

/** What subscribers read: the text for every protocol, and inside it what PASS agreed on. */
const envelope = z.object({default: z.string()});
const deployMessage = z.object({imageTag: z.string()});

const before = '1.13.2';
const released = '1.14.0';
/** What the wizard may be asked for: each has its images. */
const offered = ['1.13.3', released, '2.0.0'];
const account = '333333333333';
const region = 'us-east-1';

/** Name of the component, its container and its image. */
const services = [
  {id: 'deposit-services', container: 'deposit-services-core', image: 'deposit-services-core', tasks: 2},
  {id: 'notification-services', container: 'notification', image: 'pass-notification-service', tasks: 1},
] as const;

const loaders = [
  {
    id: 'grant-loader',
    family: 'jhu-grant-loader',
    image: 'jhu-grant-loader',
    rule: 'grant-nightly',
    schedule: 'cron(0 3 * * ? *)',
  },
  {
    id: 'journal-loader',
    family: 'pass-journal-loader',
    image: 'pass-journal-loader',
    rule: 'journal-nightly',
    schedule: 'cron(0 2 * * ? *)',
  },
  {id: 'nihms-loader', family: 'pass-nihms-loader', image: 'pass-nihms-loader', rule: 'nihms-weekly', schedule: 'rate(7 days)'},
] as const;

export async function preparePass(_context: Context, workspace: string, {speed}: DemoOptions): Promise<Stage> {
  const emulator = await startEmulator({speed, accountId: account, region});
  let running: string = before;
  const web = await serveVersion(() => Promise.resolve(running));
  const close = async () => {
    await web.close();
    await emulator.close();
  };
  const folder = path.join(workspace, 'pass');
  try {
    seed(emulator, version => {
      // The instance behind the topic takes its time, out of sight.
      setTimeout(() => (running = version), 8000 / speed).unref();
    });
    await mkdir(folder, {recursive: true});
    await writeFile(path.join(folder, 'deploy-wizard.config.yaml'), config(web.url));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    title: `PASS ${before} → ${released}: one message, two ECS services, three scheduled loaders, on an AWS endpoint inside this process.`,
    folder,
    env: {
      AWS_ENDPOINT_URL: emulator.url,
      AWS_ACCESS_KEY_ID: 'demo',
      AWS_SECRET_ACCESS_KEY: 'demo',
      AWS_EC2_METADATA_DISABLED: 'true',
      XDG_STATE_HOME: path.join(workspace, 'state'),
    },
    answers: ['--env', 'production', '--release', released],
    version: released,
    environment: 'production',
    close,
  };
}

function seed({world}: Emulator, redeploy: (version: string) => void): void {
  for (const image of ['pass-core', 'pass-ui', ...services.map(one => one.image), ...loaders.map(one => one.image)]) {
    for (const tag of [before, ...offered]) world.putImage(image, tag);
  }
  const register = (family: string, container: string, image: string) =>
    world.registerTaskDefinition({
      family,
      networkMode: 'awsvpc',
      requiresCompatibilities: ['FARGATE'],
      cpu: '512',
      memory: '1024',
      executionRoleArn: `arn:aws:iam::${account}:role/pass-execution`,
      taskRoleArn: `arn:aws:iam::${account}:role/pass-task`,
      tags: [{key: 'project', value: 'pass'}],
      containerDefinitions: [
        {
          name: container,
          image: `${account}.dkr.ecr.${region}.amazonaws.com/${image}:${before}`,
          essential: true,
          environment: [{name: 'PASS_CORE_URL', value: 'https://pass.example.edu'}],
          logConfiguration: {
            logDriver: 'awslogs',
            options: {'awslogs-group': `/ecs/${family}`, 'awslogs-region': region, 'awslogs-stream-prefix': 'ecs'},
          },
        },
      ],
    });
  for (const {id, container, image, tasks} of services) {
    world.createService({
      cluster: 'pass',
      service: id,
      taskDefinition: register(id, container, image),
      desiredCount: tasks,
      circuitBreaker: {enable: true, rollback: true},
    });
  }
  for (const {family, image, rule, schedule} of loaders) {
    const taskDefinition = register(family, 'loader', image);
    world.createRule({name: rule, ScheduleExpression: schedule});
    world.putTargets({name: rule}, [
      {
        Id: 'loader',
        Arn: `arn:aws:ecs:${region}:${account}:cluster/pass`,
        RoleArn: `arn:aws:iam::${account}:role/pass-events`,
        EcsParameters: {TaskDefinitionArn: taskDefinition, TaskCount: 1, LaunchType: 'FARGATE'},
      },
    ]);
  }
  const topic = world.createTopic({name: 'pass-deploy'});
  world.onPublish(topic, ({message}) => {
    redeploy(deployMessage.parse(JSON.parse(envelope.parse(JSON.parse(message)).default)).imageTag);
  });
}

function config(url: string): string {
  return `# PASS, as the demo has it. The real one differs in names and accounts only.
application: pass
environments:
  production:
    aws: { accountId: "${account}", region: ${region} }
    values: { deployEnv: Production, cluster: pass, url: "${url}" }
    policy: { allow: [update, trigger] }
registries:
  ecr: { kind: ecr }
components:
  pass-core:
    kind: sns-trigger
    topic: pass-deploy
    images: [ecr/pass-core, ecr/pass-ui]
    message: { action: DeployStart, commitRef: "\${version}", deployEnv: "\${values.deployEnv}", imageTag: "\${version}" }
    verify: { http: "\${values.url}/version", expect: "\${version}", within: 5m }
${services.map(({id, container, image}) => `  ${id}: { kind: ecs-service, cluster: "\${values.cluster}", service: ${id}, images: { ${container}: ecr/${image} }, needs: [pass-core] }`).join('\n')}
${loaders.map(({id, family, image, rule}) => `  ${id}: { kind: ecs-scheduled-task, family: ${family}, images: { loader: ecr/${image} }, targets: [ { rule: ${rule} } ], needs: [pass-core] }`).join('\n')}
checklist:
  - { id: acceptance, when: after, text: "Acceptance tests run against the tag" }
`;
}
