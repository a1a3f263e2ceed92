/** A config file, made of what was found and what was answered. Pure. */
import {stringify} from 'yaml';
import type {Json} from '../../release/json.ts';
import {type Source, machineName} from '../../components/loaders/target.ts';
import type {FoundAccount} from './account.ts';
import type {FoundModule, FoundRepository} from './repository.ts';

/** A component that could be released: what it would be called, its settings, and what it was made from. */
export interface Proposal {
  readonly id: string;
  readonly settings: {readonly [key: string]: Json};
  /** One line for people. */
  readonly why: string;
  /** Whether it is taken unless somebody says otherwise. */
  readonly usual: boolean;
}

export interface Draft {
  readonly application: string;
  readonly environments: readonly string[];
  readonly accountId: string | undefined;
  readonly region: string | undefined;
  readonly profile: string | undefined;
  readonly components: readonly Proposal[];
}

/** As `name` in config/settings has it: letters, digits, "-" and "_". */
export function asName(text: string): string {
  const name = text
    .replaceAll(/[^A-Za-z0-9_-]+/g, '-')
    .replaceAll(/^[-_]+|-+$/g, '')
    .slice(0, 64);
  return name === '' ? 'application' : name;
}

/** What a repository could release: its Terraform modules, the first of them with the image that is built here. */
export function fromRepository({modules, dockerfiles, versionFiles, project, name, image}: FoundRepository): readonly Proposal[] {
  const [dockerfile] = dockerfiles;
  const [versionFile] = versionFiles;
  return modules.map((module, index): Proposal => {
    const built = index === 0 && dockerfile !== undefined && versionFile !== undefined;
    const context = dockerfile?.includes('/') ? dockerfile.slice(0, dockerfile.lastIndexOf('/')) : '.';
    const plain = dockerfile === undefined || /(?:^|\/)Dockerfile$/.test(dockerfile);
    const build = {
      context,
      ...(!plain && {dockerfile: dockerfile.slice(dockerfile.lastIndexOf('/') + 1)}),
      image: image ?? (project ?? name).toLowerCase(),
    };
    return {
      id: modules.length === 1 ? 'service' : asName(module.directory.replaceAll('/', '-')),
      usual: true,
      why: `Terraform in ${module.directory}${built ? `, the image of ${dockerfile}, the version of ${versionFile.path}` : ''}`,
      settings: {
        kind: 'terraform',
        directory: module.directory,
        ...variables(module),
        ...(built && {source: {version: versionFile.path, build, git: {commit: true, tag: '${version}'}}}),
      },
    };
  });
}

function variables({tfvars, setting}: FoundModule) {
  return {...(tfvars !== undefined && {tfvars}), ...(setting !== undefined && {set: {[setting]: '${version}'}})};
}

/** What an account could release. Of topics only those that sound as if a message made something deploy are usual. */
export function fromAccount({services, loaders, topics}: FoundAccount): readonly Proposal[] {
  return [
    ...services.map(({cluster, service, images}): Proposal => ({
      id: asName(service),
      usual: true,
      why: `ECS service ${cluster}/${service}`,
      settings: {kind: 'ecs-service', cluster, service, images},
    })),
    ...loaders.map(({kind, name, images, sources}): Proposal => ({
      id: asName(name),
      usual: true,
      why: `${kind === 'ecs-scheduled-task' ? 'task' : 'Batch job'} ${name}, started by ${sources.map(sourceWords).join(', ')}`,
      settings: {
        kind,
        [kind === 'ecs-scheduled-task' ? 'family' : 'jobDefinition']: name,
        images,
        targets: sources.map(target),
      },
    })),
    ...topics.map((topic): Proposal => ({
      id: asName(topic.replace(/\.fifo$/, '')),
      usual: /deploy|release/i.test(topic),
      why: `a message to SNS topic ${topic}`,
      settings: {
        kind: 'sns-trigger',
        topic,
        message: {action: 'DeployStart', imageTag: '${version}', environment: '${environment}'},
        verify: 'none',
      },
    })),
  ];
}

function target(source: Source): Json {
  switch (source.is) {
    case 'rule':
      return {rule: source.bus === 'default' ? source.name : `${source.bus}/${source.name}`};
    case 'schedule':
      return {schedule: `${source.group}/${source.name}`};
    case 'stateMachine':
      return {stateMachine: machineName(source.machine)};
  }
}

function sourceWords(source: Source): string {
  switch (source.is) {
    case 'rule':
    case 'schedule':
      return `${source.is} ${source.name}`;
    case 'stateMachine':
      return `state machine ${machineName(source.machine)}`;
  }
}

/** Ids are unique: a second one of a name gets a number. */
export function unique(proposals: readonly Proposal[]): readonly Proposal[] {
  const taken = new Set<string>();
  return proposals.map(proposal => {
    let id = proposal.id;
    for (let number = 2; taken.has(id); number++) id = `${proposal.id}-${number}`;
    taken.add(id);
    return {...proposal, id};
  });
}

/** The text of the file, with comments. */
export function writeDraft(draft: Draft): string {
  const {application, environments, components} = draft;
  const kinds = new Set(components.map(({settings}) => settings['kind']));
  const usesAws = [...kinds].some(kind => kind !== 'terraform') || draft.region !== undefined;
  const usesEcr = components.some(({settings}) => JSON.stringify(settings['images'] ?? {}).includes('"ecr/'));
  const allowed = ['update', ...(kinds.has('sns-trigger') ? ['trigger'] : [])];
  return [
    '# Written by `deploy-wizard init`. What else may stand here: deploy-wizard schema; whether all of it is there: deploy-wizard doctor.',
    yaml({application}),
    '# store: s3://my-bucket/releases   # where the records are; for teams and CI a bucket. Default: a folder of your own',
    '',
    '# Where releases go. `values` are for ${values.<name>} in components; `requires: [{ env: staging }]` makes it a promotion.',
    'environments:',
    ...environments.flatMap(name => [
      `  ${name}:`,
      ...(usesAws ? [indent(yaml({aws: awsOf(draft, environments.length === 1)}), 4)] : []),
      '    # What --yes may approve here: create, update, trigger, replace, outage, forget, destroy. People see and confirm.',
      `    policy: { allow: [${allowed.join(', ')}] }`,
    ]),
    '',
    ...(usesEcr
      ? ['# ecr/<repository> below is ECR of the environment’s account and region.', 'registries:', '  ecr: { kind: ecr }', '']
      : []),
    '# What is released, all on one version. `needs: [<component>]` waits until that one is verified.',
    'components:',
    ...components.flatMap(({id, settings, why}) => [
      `  # ${oneLine(why)}`,
      indent(yaml({[id]: settings}), 2),
      ...hints(settings),
    ]),
    '',
  ].join('\n');
}

/** Only for one environment is it known which account it is. */
function awsOf({accountId, region, profile}: Draft, alone: boolean): Json {
  return {
    ...(accountId !== undefined && alone && {accountId}),
    region: region ?? 'us-east-1',
    ...(profile !== undefined && alone && {profile}),
  };
}

function hints({kind}: Proposal['settings']): readonly string[] {
  if (kind === 'sns-trigger')
    return [
      '    # Better than `verify: none`, which ends as "triggered, not proven": { http: "https://…/version", expect: "${version}" }',
    ];
  return kind === 'terraform' ? ['    # verify: { http: "https://…/", within: 5m }'] : [];
}

function yaml(value: Json): string {
  return stringify(value, {lineWidth: 0, defaultStringType: 'PLAIN', defaultKeyType: 'PLAIN'}).trimEnd();
}

function indent(text: string, columns: number): string {
  return text.replaceAll(/^/gm, ' '.repeat(columns));
}

/** A comment ends with its line. */
function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}
