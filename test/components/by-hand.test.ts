/** What a person types where a release cannot go on: each kind says it of its own steps, from the plan alone. */
import {tmpdir} from 'node:os';
import {describe, expect, test} from 'vitest';
import {bindComponent} from '../../src/components/index.ts';
import type {Io} from '../../src/components/io.ts';
import {config} from '../../src/config/schema.ts';
import {type Results, createStop, noResults} from '../../src/release/contract.ts';
import type {Json} from '../../src/release/json.ts';
import {deskAt} from '../commands/support/desk.ts';
import {standingClock, worldOf} from './support/world.ts';

type Kind = Parameters<typeof bindComponent>[0];
type Aws = Readonly<Record<string, string>>;

const account = 'arn:aws:ecs:us-east-1:333333333333';
const where = '--region us-east-1 --profile prod';

function ioOf(kind: Kind, settings: object, aws: Aws, env: Readonly<Record<string, string>>): Io {
  const source = {
    application: 'pass',
    environments: {production: {aws}},
    registries: {ecr: {kind: 'ecr'}},
    components: {it: {kind, ...settings}},
  };
  const {context} = deskAt({folder: tmpdir(), env}, {clock: standingClock(Date.UTC(2026, 0, 15, 12))});
  const loaded = {path: 'deploy-wizard.config.yaml', folder: '/work tree', config: config.parse(source), source: {}};
  return worldOf(context, {loaded, version: '1.14.0', scratch: tmpdir()}).ioFor({component: 'it', phase: 'apply'}, createStop());
}

/** Each step with what is said of it, as lines. */
function byHand(
  kind: Kind,
  settings: object,
  payload: Json,
  {
    results = noResults,
    aws = {accountId: '333333333333', region: 'us-east-1', profile: 'prod'},
    env = {},
  }: {readonly results?: Results; readonly aws?: Aws; readonly env?: Readonly<Record<string, string>>} = {},
): Readonly<Record<string, readonly string[]>> {
  const io = ioOf(kind, settings, aws, env);
  const component = bindComponent(kind, 'it', {kind, ...settings});
  const plan = {component: 'it', kind, to: '1.14.0', changes: [], notes: [], fingerprint: 'f', payload};
  return Object.fromEntries(
    [...component.steps(plan), ...component.finish(plan, results)].map(step => {
      const {note, commands} = step.byHand(io, results);
      return [step.id, [...(note === undefined ? [] : [`# ${note}`]), ...commands.map(command => command.join(' '))]];
    }),
  );
}

const images = [{container: 'core', image: 'ecr/core:1.14.0', digest: 'sha256:71be'}];

describe('an ECS service', () => {
  const settings = {cluster: 'main', service: 'web', images: {core: 'ecr/core'}};
  const from = `${account}:task-definition/web:41`;
  const payload = {cluster: 'main', service: 'web', from, register: {family: 'web', base: from, images}, existing: null, images};

  test('is registered, and moved to what was registered', () => {
    const {register, 'update-service': move} = byHand('ecs-service', settings, payload);
    expect(register).toEqual([
      expect.stringMatching(
        /^# everything in the file as it is read \(without taskDefinitionArn, .*\), but for image ecr\/core:1\.14\.0 in container core$/,
      ),
      `aws ecs describe-task-definition --task-definition web:41 --include TAGS ${where}`,
      `aws ecs register-task-definition --cli-input-json file://<web:41, with its new image> ${where}`,
    ]);
    expect(move).toEqual([`aws ecs update-service --cluster main --service web --task-definition web:<new revision> ${where}`]);
  });

  test('once it is registered, its revision is named', () => {
    const results = new Map([['register', {taskDefinition: `${account}:task-definition/web:42`}]]);
    expect(byHand('ecs-service', settings, payload, {results})['update-service']).toEqual([
      `aws ecs update-service --cluster main --service web --task-definition web:42 ${where}`,
    ]);
  });

  test('goes back to what was there, by another deployment or by ending the one in flight', () => {
    const back = {...payload, register: null, existing: `${account}:task-definition/web:40`};
    expect(byHand('ecs-service', settings, back)).toEqual({
      'update-service': [`aws ecs update-service --cluster main --service web --task-definition web:40 ${where}`],
    });
    expect(byHand('ecs-service', settings, {...back, existing: from, anew: true})['update-service']).toEqual([
      `aws ecs update-service --cluster main --service web --task-definition web:41 --force-new-deployment ${where}`,
    ]);
    const stop = `${account}:service-deployment/main/web/abc`;
    expect(byHand('ecs-service', settings, {...back, stop})['update-service']).toEqual([
      `aws ecs stop-service-deployment --service-deployment-arn ${stop} ${where}`,
    ]);
  });

  test('credentials of the environment variables win over the profile, in commands too', () => {
    const env = {AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret'};
    expect(byHand('ecs-service', settings, payload, {env})['update-service']?.join()).not.toContain('--profile');
    expect(byHand('ecs-service', settings, payload, {aws: {region: 'eu-west-1'}})['update-service']?.join()).toMatch(
      /--region eu-west-1$/,
    );
  });
});

describe('a loader', () => {
  const batch = 'arn:aws:batch:us-east-1:333333333333:job-definition';
  const rule = {is: 'rule', bus: 'default', name: 'nightly'};
  const schedule = {is: 'schedule', group: 'default', name: 'journal'};
  const machine = {is: 'stateMachine', machine: 'grant-load'};
  const payload = (service: 'ecs' | 'batch', base: string) => ({
    wanted: {service, name: 'loader'},
    from: base,
    register: {family: 'loader', base, images},
    existing: null,
    images,
    smoke: {source: rule, entry: 'a', within: 60_000},
    moves: [
      {source: rule, entry: 'a', from: base, to: null},
      {source: schedule, entry: '', from: base, to: null},
      {source: machine, entry: 'Load', from: base, to: null},
    ],
    pins: [],
  });
  const targets = [{rule: 'nightly'}, {schedule: 'default/journal'}, {stateMachine: 'grant-load'}];

  test('of ECS: registered, tried, and moved on every kind of target', () => {
    const base = `${account}:task-definition/loader:7`;
    const settings = {family: 'loader', images: {core: 'ecr/core'}, targets};
    const said = byHand('ecs-scheduled-task', settings, payload('ecs', base));
    expect(said['register']?.slice(1)).toEqual([
      `aws ecs describe-task-definition --task-definition loader:7 --include TAGS ${where}`,
      `aws ecs register-task-definition --cli-input-json file://<loader:7, with its new image> ${where}`,
    ]);
    expect(said['smoke']).toEqual([
      '# with all else as rule nightly starts it, and it has to succeed before anything is moved',
      `aws ecs run-task --task-definition loader:<new revision> --cli-input-json file://<its cluster, network and overrides> ${where}`,
    ]);
    const to = `${account}:task-definition/loader:<new revision>`;
    expect(said['move rule default/nightly']).toEqual([
      `# everything in the file as it is read, but for TaskDefinitionArn ${to} in target a`,
      `aws events list-targets-by-rule --rule nightly --event-bus-name default --query Targets ${where}`,
      `aws events put-targets --rule nightly --event-bus-name default --targets file://<rule nightly, with loader:<new revision>> ${where}`,
    ]);
    expect(said['move schedule default/journal']).toEqual([
      `# everything in the file as it is read (without Arn, CreationDate and LastModificationDate), but for TaskDefinitionArn ${to}`,
      `aws scheduler get-schedule --name journal --group-name default ${where}`,
      `aws scheduler update-schedule --name journal --group-name default --cli-input-json file://<schedule journal, with loader:<new revision>> ${where}`,
    ]);
    const arn = 'arn:aws:states:us-east-1:333333333333:stateMachine:grant-load';
    expect(said['move state machine grant-load']).toEqual([
      `# everything in the file as it is read, but for TaskDefinition ${to} in state Load`,
      `aws stepfunctions describe-state-machine --state-machine-arn ${arn} --query definition --output text ${where}`,
      `aws stepfunctions update-state-machine --state-machine-arn ${arn} --definition file://<state machine grant-load, with loader:<new revision>> ${where}`,
    ]);
  });

  test('of Batch, once it is registered', () => {
    const settings = {jobDefinition: 'loader', images: {default: 'ecr/core'}, targets};
    const results = new Map([['register', {taskDefinition: `${batch}/loader:8`}]]);
    const said = byHand('batch-job-definition', settings, payload('batch', `${batch}/loader:7`), {
      results,
      aws: {region: 'us-east-1'},
    });
    expect(said['register']?.at(-1)).toBe(
      'aws batch register-job-definition --cli-input-json file://<loader:7, with its new image> --region us-east-1',
    );
    expect(said['smoke']?.at(-1)).toBe(
      'aws batch submit-job --job-name smoke --job-definition loader:8 --job-queue <its queue> --region us-east-1',
    );
    expect(said['move rule default/nightly']?.[0]).toContain(`JobDefinition ${batch}/loader:8 in target a`);
    // Whose account it is, nobody knows here.
    expect(said['move state machine grant-load']?.at(-1)).toContain('--state-machine-arn <ARN of state machine grant-load>');
  });
});

describe('a message', () => {
  const settings = {topic: 'deploy', message: {imageTag: '1.14.0'}, verify: 'none'};
  const payload = (topic: string) => ({topic, version: '1.14.0', hash: 'h', effect: null, images: []});
  const topic = 'arn:aws:sns:us-east-1:333333333333:deploy';
  const message = String.raw`{"default":"{\"imageTag\":\"1.14.0\"}"}`;

  test('is published as it was approved', () => {
    expect(byHand('sns-trigger', settings, payload(topic))).toEqual({
      publish: [`aws sns publish --topic-arn ${topic} --message-structure json --message ${message} ${where}`],
    });
  });

  test('with its attributes, and its group on a FIFO topic', () => {
    expect(
      byHand('sns-trigger', {...settings, attributes: {kind: 'deploy'}}, payload(`${topic}.fifo`))['publish']?.join(),
    ).toContain(
      '--message-attributes {"kind":{"DataType":"String","StringValue":"deploy"}} --message-group-id pass --message-deduplication-id <another one for every message>',
    );
  });
});

describe('Terraform', () => {
  const settings = {
    directory: 'ci',
    set: {image_tag: '1.14.0'},
    source: {version: 'VERSION', build: {image: 'dbhi/app'}, git: {commit: true, tag: '1.14.0', push: true}},
  };
  const edit = {path: '/repo/ci/terraform.tfvars', before: 'a', after: 'b', set: {image_tag: '1.14.0'}};
  const payload = {
    directory: '/repo/ci',
    workspace: 'blue',
    varFile: edit.path,
    varFileSha256: 'a',
    edit,
    planFile: '/state/plan',
    planSha256: '0'.repeat(64),
    applyVarFile: null,
    sources: {manifest: '/state/manifest', sha256: 'x', folders: []},
    terraform: '1.11.4',
    state: null,
    account: null,
    addresses: [],
    image: null,
    verify: null,
    back: false,
  };

  test('is edited, applied from the plan that was approved, committed and tagged', () => {
    const chdir = 'env AWS_REGION=us-east-1 AWS_PROFILE=prod TF_WORKSPACE=blue terraform -chdir=/repo/ci';
    expect(byHand('terraform', settings, payload)).toEqual({
      tfvars: ['# in /repo/ci/terraform.tfvars: image_tag = 1.14.0'],
      'terraform-apply': [
        expect.stringContaining('Terraform takes it once'),
        `${chdir} apply /state/plan`,
        `${chdir} plan -var-file=/repo/ci/terraform.tfvars -out=<new plan file>`,
      ],
      'commit-tfvars': ['git -C /repo/ci commit --message Deploy 1.14.0 -- terraform.tfvars'],
      tag: ['git -C /repo/ci tag --annotate --message Release 1.14.0 1.14.0 <commit that the image was built from>'],
    });
  });

  test('what it has committed is tagged, and pushed', () => {
    const results = new Map<string, Json>([
      ['commit', {commit: 'c0ffee', made: true}],
      ['tag', {commit: 'c0ffee', made: true}],
    ]);
    const said = byHand('terraform', settings, payload, {results});
    expect(said['tag']?.join()).toMatch(/1\.14\.0 c0ffee$/);
    expect(said['git-push']).toEqual(['git -C /work tree push', 'git -C /work tree push <remote> refs/tags/1.14.0']);
  });

  test('before it, the image is made from the source', async () => {
    const build = {
      image: 'dbhi/app',
      dockerfile: 'Dockerfile.prod',
      args: {FLAVOUR: 'slim'},
      platform: 'linux/arm64',
      target: 'app',
      secrets: {token: {env: 'NPM_TOKEN'}, key: {file: 'key.pem'}},
    };
    const source = {...settings, source: {...settings.source, build}};
    const {prepareSteps} = await import('../../src/components/terraform/source.ts');
    const {terraformConfig} = await import('../../src/components/terraform/config.ts');
    const component = terraformConfig.parse({kind: 'terraform', ...source});
    if (component.source === undefined) throw new Error('it has a source');
    const io = ioOf('terraform', source, {}, {NPM_TOKEN: 'hunter22'});
    const said = prepareSteps(component, component.source, '1.14.0').map(step => step.byHand(io, noResults));
    expect(said.map(({note, commands}) => note ?? commands.map(command => command.join(' ')).join())).toEqual([
      'the version in VERSION: 1.14.0',
      'git -C /work tree commit --message Bump version to 1.14.0 -- VERSION',
      'docker build --tag dbhi/app:1.14.0 --file /work tree/Dockerfile.prod --build-arg FLAVOUR=slim --platform linux/arm64 --target app --secret id=token,env=NPM_TOKEN --secret id=key,src=/work tree/key.pem /work tree',
      'docker push dbhi/app:1.14.0',
    ]);
  });
});
