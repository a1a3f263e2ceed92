/** Task definitions: revisions of a family, which never change. */
import {type Json, json} from '../../../release/json.ts';
import {ifThere, named} from '../session.ts';
import {isOwnTag} from '../tags.ts';
import {together} from '../together.ts';
import type {EcsSdk} from './sdk.ts';

/** A task definition as JSON, and the tags that stand beside it. */
export interface TaskDefinition {
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  readonly status: string;
  /** What RegisterTaskDefinition accepts of it, tags included; nothing that only AWS may say. */
  readonly input: {readonly [key: string]: Json};
  /** ARN of who registered it, where AWS tells. */
  readonly registeredBy?: string | undefined;
}

export interface Definitions {
  /** By ARN or `family:revision`, at most a second old; or by family (its newest active revision). Undefined when there is none. */
  taskDefinition(name: string): Promise<TaskDefinition | undefined>;
  /** Revisions of a family, newest first. */
  revisions(family: string, count: number): Promise<readonly string[]>;
  /** Makes a new revision, every time. Returns its ARN. */
  register(input: {readonly [key: string]: Json}, sleep: (ms: number) => Promise<void>): Promise<string>;
}

/** In a task definition but refused by RegisterTaskDefinition (facts/aws.md, computed from the SDK's types). */
const readOnly = new Set([
  'taskDefinitionArn',
  'revision',
  'status',
  'requiresAttributes',
  'compatibilities',
  'registeredAt',
  'deregisteredAt',
  'deleteRequestedAt',
  'registeredBy',
]);

export function definitions({load, session}: EcsSdk): Definitions {
  const describe = async (name: string): Promise<TaskDefinition | undefined> => {
    const call = session.read('ecs:DescribeTaskDefinition', async () => {
      const {reader, DescribeTaskDefinitionCommand} = await load();
      return reader.send(new DescribeTaskDefinitionCommand({taskDefinition: name, include: ['TAGS']}));
    });
    // There is no exception of its own for "no such task definition".
    const {taskDefinition, tags: all = []} = (await ifThere(call, 'ClientException')) ?? {};
    if (taskDefinition?.taskDefinitionArn === undefined) return undefined;
    const {taskDefinitionArn: arn, family = '', revision = 0, status = '', registeredBy} = taskDefinition;
    const kept = Object.fromEntries(Object.entries(taskDefinition).filter(([key]) => !readOnly.has(key)));
    const tags = all.filter(({key}) => isOwnTag(key));
    // An empty list of tags is refused.
    const input = asJson({...kept, ...(tags.length > 0 && {tags})});
    return {arn, family, revision, status, input, registeredBy};
  };
  const newest = together(describe);
  // A revision never changes but for its status.
  const numbered = together(describe, {lasts: 1000, now: session.timer.now});
  const forget = () => [newest, numbered].forEach(({changed}) => changed());

  return {
    taskDefinition: name => (/:\d+$/.test(name) ? numbered : newest).ask(name),
    revisions: async (family, count) => {
      const page = await session.read('ecs:ListTaskDefinitions', async () => {
        const {reader, ListTaskDefinitionsCommand} = await load();
        return reader.send(new ListTaskDefinitionsCommand({familyPrefix: family, sort: 'DESC', maxResults: count}));
      });
      return page.taskDefinitionArns ?? [];
    },
    register: async (input, sleep) => {
      const {writer, RegisterTaskDefinitionCommand} = await load();
      type Input = ConstructorParameters<typeof RegisterTaskDefinitionCommand>[0];
      // It came from DescribeTaskDefinition, whose shape is this one but for the fields taken out above.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const command = new RegisterTaskDefinitionCommand(input as unknown as Input);
      const {taskDefinition} = await session
        .write('ecs:RegisterTaskDefinition', () => writer.send(command), sleep)
        .finally(forget);
      return named('ecs:RegisterTaskDefinition', taskDefinition?.taskDefinitionArn);
    },
  };
}

/** What the wire would carry: dates and undefined gone. */
function asJson(value: object): {readonly [key: string]: Json} {
  const plain: unknown = JSON.parse(JSON.stringify(value));
  const parsed = json.parse(plain);
  return parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed)
    ? Object.fromEntries(Object.entries(parsed))
    : {};
}
