import * as z from 'zod';
import {actionsOf, type Service} from '../action.ts';
import {shortName} from '../naming.ts';
import {paginate} from '../pagination.ts';
import {deregisterJobDefinition, type JobDefinition, jobDefinitionsNamed, registerJobDefinition} from './definitions.ts';
import type {Account} from '../account.ts';
import {type Job, jobStatus, jobStream, submitJob} from './jobs.ts';

const codes = {invalidInput: 'ClientException', internal: 'ServerException', throttled: 'TooManyRequestsException'};
const action = actionsOf(codes);

const name = z.string().regex(/^[\w-]{1,128}$/);
const post = (path: string) => ({method: 'POST', path: `/v1/${path}`}) as const;

export const batch: Service = {
  name: 'batch',
  wire: {
    protocol: 'rest-json',
    routes: {
      RegisterJobDefinition: post('registerjobdefinition'),
      DescribeJobDefinitions: post('describejobdefinitions'),
      DeregisterJobDefinition: post('deregisterjobdefinition'),
      SubmitJob: post('submitjob'),
      DescribeJobs: post('describejobs'),
      ListJobs: post('listjobs'),
    },
  },
  codes,
  actions: {
    // Loose, for it takes far more than is looked at here, and all of it must come back in DescribeJobDefinitions.
    RegisterJobDefinition: action(
      z.looseObject({
        jobDefinitionName: name,
        type: z.enum(['container', 'multinode']),
        containerProperties: z.looseObject({image: z.string().min(1)}).optional(),
      }),
      (account, input) => {
        const {name, arn, revision} = registerJobDefinition(account, input);
        return {jobDefinitionName: name, jobDefinitionArn: arn, revision};
      },
    ),

    DescribeJobDefinitions: action(
      z.object({
        jobDefinitions: z.array(z.string()).max(100).optional(),
        jobDefinitionName: z.string().optional(),
        status: z.string().optional(),
        maxResults: z.int().min(1).max(100).default(100),
        nextToken: z.string().optional(),
      }),
      (account, input) => {
        const meant = input.jobDefinitions ?? (input.jobDefinitionName === undefined ? undefined : [input.jobDefinitionName]);
        const found = meant?.flatMap(one => jobDefinitionsNamed(account, one)) ?? [...account.jobDefinitions.values()].flat();
        const {items, nextToken} = paginate(
          found.filter(({status}) => status === (input.status ?? status)),
          {limit: input.maxResults, token: input.nextToken, invalid: codes.invalidInput},
        );
        return {jobDefinitions: items.map(definitionView), nextToken};
      },
    ),

    DeregisterJobDefinition: action(z.object({jobDefinition: z.string()}), (account, {jobDefinition}) => {
      deregisterJobDefinition(account, jobDefinition);
      return {};
    }),

    // Loose, for overrides and the like are taken as they come.
    SubmitJob: action(
      z.looseObject({
        jobName: name,
        jobQueue: z.string().min(1),
        jobDefinition: z.string(),
        parameters: z.record(z.string(), z.string()).default({}),
      }),
      (account, input) => {
        const {id, arn, name: jobName} = submitJob(account, input);
        return {jobId: id, jobName, jobArn: arn};
      },
    ),

    // What is not there is left out, without a word.
    DescribeJobs: action(z.object({jobs: z.array(z.string()).min(1).max(100)}), (account, {jobs}) => ({
      jobs: jobs.flatMap(idOrArn => {
        const job = account.jobs.get(shortName(idOrArn));
        return job === undefined ? [] : [jobView(account, job)];
      }),
    })),

    // Without a filter only jobs of one status are listed, with one those of all.
    ListJobs: action(
      z.object({
        jobQueue: z.string(),
        jobStatus: z.string().default('RUNNING'),
        filters: z
          .array(z.object({name: z.literal('JOB_NAME'), values: z.array(z.string()).min(1)}))
          .max(1)
          .default([]),
        maxResults: z.int().min(1).max(100).default(100),
        nextToken: z.string().optional(),
      }),
      (account, input) => {
        const now = account.clock.now();
        const [filter] = input.filters;
        const wanted = [...account.jobs.values()]
          .filter(({queue}) => shortName(queue) === shortName(input.jobQueue))
          .filter(job => (filter === undefined ? jobStatus(job, now) === input.jobStatus : filter.values.includes(job.name)));
        const {items, nextToken} = paginate(wanted, {
          limit: input.maxResults,
          token: input.nextToken,
          invalid: codes.invalidInput,
        });
        return {jobSummaryList: items.map(job => summary(account, job)), nextToken};
      },
    ),
  },
};

const definitionView = ({name, arn, revision, status, declared}: JobDefinition) => ({
  ...declared,
  jobDefinitionName: name,
  jobDefinitionArn: arn,
  revision,
  status,
});

function summary(account: Account, job: Job) {
  const {jobId, jobName, jobArn, jobDefinition, status, statusReason, createdAt, startedAt, stoppedAt, container} = jobView(
    account,
    job,
  );
  const {exitCode, reason} = container;
  return {
    jobId,
    jobName,
    jobArn,
    jobDefinition,
    status,
    statusReason,
    createdAt,
    startedAt,
    stoppedAt,
    container: {exitCode, reason},
  };
}

/** Batch tells time in milliseconds. */
function jobView(account: Account, job: Job) {
  const now = account.clock.now();
  const {task, definition} = job;
  const reached = (mark: number): number | undefined => (mark <= now ? Math.floor(mark) : undefined);
  const stop = task.stoppedAt <= now ? task.stop : undefined;
  const outcome = {
    exitCode: stop?.culprit?.exitCode,
    reason: stop?.culprit?.reason,
    logStreamName: reached(task.runningAt) && jobStream(job).stream,
  };
  return {
    jobId: job.id,
    jobName: job.name,
    jobArn: job.arn,
    jobQueue: job.queue,
    jobDefinition: definition.arn,
    status: jobStatus(job, now),
    statusReason: stop?.reason,
    createdAt: Math.floor(task.createdAt),
    startedAt: reached(task.runningAt),
    stoppedAt: reached(task.stoppedAt),
    attempts:
      stop === undefined
        ? []
        : [
            {
              container: outcome,
              startedAt: reached(task.runningAt),
              stoppedAt: reached(task.stoppedAt),
              statusReason: stop.reason,
            },
          ],
    container: {...definition.declared.containerProperties, ...outcome},
    dependsOn: [],
    parameters: job.parameters,
    tags: {},
  };
}
