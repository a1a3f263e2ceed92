/** Batch: job definitions, and runs of them. */
import type {JobDetail, JobDefinition as SdkJobDefinition} from '@aws-sdk/client-batch';
import {type Json, json} from '../../release/json.ts';
import {clients} from './clients.ts';
import {paged} from './paged.ts';
import {type Session, lazy, named} from './session.ts';
import {together} from './together.ts';
import {isOwnTag} from './tags.ts';

export type BatchJob = JobDetail;

/** A revision of a job definition as JSON: the same shape as a task definition's, so that both can be handled alike. */
export interface JobDefinition {
  readonly arn: string;
  readonly family: string;
  readonly revision: number;
  readonly status: string;
  /** What RegisterJobDefinition accepts of it, tags included; nothing that only AWS may say. */
  readonly input: {readonly [key: string]: Json};
}

export interface Batch {
  /** By ARN or `name:revision`, at most a second old; or by name (its newest active revision). Undefined when there is none. */
  jobDefinition(name: string): Promise<JobDefinition | undefined>;
  /** ARNs of the active revisions of a job definition, newest first. */
  revisions(name: string, count: number): Promise<readonly string[]>;
  /** Makes a new revision, every time. Returns its ARN. */
  register(input: {readonly [key: string]: Json}, sleep: (ms: number) => Promise<void>): Promise<string>;
  /** Starts one job. Returns its id. */
  submit(job: {readonly [key: string]: Json}, sleep: (ms: number) => Promise<void>): Promise<string>;
  job(id: string): Promise<BatchJob | undefined>;
  /** The ids of the jobs of this very name in a queue, whatever became of them. */
  jobs(queue: string, name: string): Promise<readonly string[]>;
}

/** In a job definition but not taken by RegisterJobDefinition (computed from the SDK's types, 3.1138). */
const readOnly = new Set(['jobDefinitionArn', 'revision', 'status', 'containerOrchestrationType']);

export function createBatch(session: Session): Batch {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-batch');
    return {
      ...module,
      ...clients(module.BatchClient, session.options, 'BATCH'),
    };
  });

  const describe = async (input: {jobDefinitions: string[]} | {jobDefinitionName: string; status: string}) => {
    const {found} = await paged({
      ask: nextToken =>
        session.read('batch:DescribeJobDefinitions', async () => {
          const {reader, DescribeJobDefinitionsCommand} = await sdk();
          return reader.send(new DescribeJobDefinitionsCommand({...input, nextToken}));
        }),
      items: ({jobDefinitions = []}) => jobDefinitions,
      next: ({nextToken}) => nextToken,
    });
    return found.map(toDefinition).toSorted((a, b) => b.revision - a.revision);
  };
  const active = together((jobDefinitionName: string) => describe({jobDefinitionName, status: 'ACTIVE'}));
  // A revision never changes but for its status.
  const numbered = together((name: string) => describe({jobDefinitions: [name]}), {lasts: 1000, now: session.timer.now});
  const forget = () => [active, numbered].forEach(({changed}) => changed());

  return {
    jobDefinition: async name => {
      const isNumbered = /:\d+$/.test(name);
      return (await (isNumbered ? numbered.ask(name) : active.ask(name.slice(name.lastIndexOf('/') + 1))))[0];
    },
    revisions: async (name, count) => (await active.ask(name)).slice(0, count).map(({arn}) => arn),
    register: async (input, sleep) => {
      const {writer, RegisterJobDefinitionCommand} = await sdk();
      type Input = ConstructorParameters<typeof RegisterJobDefinitionCommand>[0];
      // It came from DescribeJobDefinitions, whose shape is this one but for the fields taken out above.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const command = new RegisterJobDefinitionCommand(input as unknown as Input);
      const {jobDefinitionArn} = await session
        .write('batch:RegisterJobDefinition', () => writer.send(command), sleep)
        .finally(forget);
      return named('batch:RegisterJobDefinition', jobDefinitionArn);
    },
    submit: async (job, sleep) => {
      const {writer, SubmitJobCommand} = await sdk();
      type Input = ConstructorParameters<typeof SubmitJobCommand>[0];
      // The settings came from a target that AWS has checked, and SubmitJob refuses what it does not know.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      const command = new SubmitJobCommand(job as unknown as Input);
      const {jobId} = await session.write('batch:SubmitJob', () => writer.send(command), sleep);
      return named('batch:SubmitJob', jobId);
    },
    job: async id => {
      const {jobs} = await session.read('batch:DescribeJobs', async () => {
        const {reader, DescribeJobsCommand} = await sdk();
        return reader.send(new DescribeJobsCommand({jobs: [id]}));
      });
      return jobs?.[0];
    },
    jobs: async (jobQueue, name) => {
      const {jobSummaryList = []} = await session.read('batch:ListJobs', async () => {
        const {reader, ListJobsCommand} = await sdk();
        return reader.send(new ListJobsCommand({jobQueue, filters: [{name: 'JOB_NAME', values: [name]}]}));
      });
      return jobSummaryList.flatMap(({jobId}) => jobId ?? []);
    },
  };
}

function toDefinition(found: SdkJobDefinition): JobDefinition {
  const {jobDefinitionArn: arn = '', jobDefinitionName: family = '', revision = 0, status = '', tags: all = {}} = found;
  const kept = Object.entries(found).filter(([key]) => !readOnly.has(key) && key !== 'tags');
  const tags = Object.entries(all).filter(([key]) => isOwnTag(key));
  // An empty map of tags says nothing, and an empty list was refused elsewhere (facts/aws.md, Register).
  const registered = {...Object.fromEntries(kept), ...(tags.length > 0 && {tags: Object.fromEntries(tags)})};
  const plain: unknown = JSON.parse(JSON.stringify(registered));
  const input = json.parse(plain);
  const isRecord = input !== null && typeof input === 'object' && !Array.isArray(input);
  return {arn, family, revision, status, input: isRecord ? Object.fromEntries(Object.entries(input)) : {}};
}
