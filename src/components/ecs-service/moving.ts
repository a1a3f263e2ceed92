/** The step that moves a service: to another revision, to the same anew, or back by stopping the deployment in flight. */
import * as z from 'zod';
import {type Results, type Step, step} from '../../release/contract.ts';
import {DeployError} from '../../release/errors.ts';
import {type EcsDeployment, type EcsService, begunIn} from '../../tools/aws/ecs.ts';
import {withheld} from '../../tools/aws/errors.ts';
import {primaryOf} from '../aws/rollout/judging.ts';
import {revisionOf, revisionToType, shortArn} from '../aws/task-definition.ts';
import {waiting} from '../aws/waiting.ts';
import {aws} from '../by-hand.ts';
import type {Io} from '../io.ts';
import {type Payload, payload as payloadSchema} from './config.ts';
import {meddling} from './planning.ts';

const stepId = 'update-service';

const request = payloadSchema.pick({cluster: true, service: true, from: true, newest: true, anew: true, stop: true}).extend({
  taskDefinition: z.string(),
  /** When the newest deployment before ours began, by AWS's clock, in milliseconds since the epoch. */
  newestAt: z.number().nullable().default(null),
});
type Request = z.infer<typeof request>;

const result = z.object({
  taskDefinition: z.string(),
  /** When our deployment began, by AWS's clock, in milliseconds since the epoch; null where that is not known. */
  at: z.number().nullable().default(null),
  /** ARN of the service deployment that ECS takes back. */
  takenBack: z.string().nullable().default(null),
});
type Result = z.infer<typeof result>;

/** What came of the step; undefined where it was not taken. */
export function moved(results: Results): Result | undefined {
  return result.safeParse(results.get(stepId)).data;
}

export function move(payload: Payload): Step<Io> {
  const {cluster, service, from, newest, anew, stop} = payload;
  return step({
    id: stepId,
    phase: 'apply',
    title: stop === null ? `move service ${service} to it` : `stop the deployment of ${service} and go back`,
    requestSchema: request,
    resultSchema: result,
    request: async (io: Io, results) => {
      const newestAt = begunIn(await io.aws.ecs.service(cluster, service)).at ?? null;
      return {cluster, service, from, newest, anew, stop, taskDefinition: revisionOf(payload, results), newestAt};
    },
    perform,
    settle: async (io, asked) => {
      const done = await lookFor(io, asked);
      return done === undefined ? 'absent' : {done};
    },
    tell: ({taskDefinition, takenBack}) =>
      takenBack === null
        ? `service is moving to ${shortArn(taskDefinition)}`
        : `ECS takes the service back to ${shortArn(taskDefinition)}`,
    byHand: (io, results) => {
      if (stop !== null) return {commands: [aws(io, 'ecs', 'stop-service-deployment', '--service-deployment-arn', stop)]};
      const update = ['--cluster', cluster, '--service', service, '--task-definition', revisionToType(payload, results)];
      return {commands: [aws(io, 'ecs', 'update-service', ...update, ...(anew ? ['--force-new-deployment'] : []))]};
    },
  });
}

async function perform(io: Io, asked: Request): Promise<Result> {
  const {cluster, service, taskDefinition, anew, stop} = asked;
  const now = await io.aws.ecs.service(cluster, service);
  const there = now && inService(asked, now);
  // ECS itself may have been faster with a way back.
  if (there) return begun(taskDefinition, there);
  // A resumed run comes late: nobody's deployment but the planned one is replaced.
  const meddled = meddling(asked, now);
  if (meddled !== undefined) throw new DeployError(meddled, {means: 'It was left as it is.', final: true});

  const wait = waiting(io);
  if (stop !== null) {
    const why = await stopIt(io, stop, wait);
    if (why === undefined) return {taskDefinition, at: null, takenBack: stop};
    io.log(`the deployment cannot be stopped (${why}): the service is moved to ${shortArn(taskDefinition)} instead`);
  }
  const {at} = await io.aws.ecs.updateService(cluster, service, {taskDefinition, force: anew}, wait);
  return {taskDefinition, at: at ?? null, takenBack: null};
}

/** Has ECS take a deployment back; why that is not to be had, where it is not. */
async function stopIt(io: Io, arn: string, wait: (ms: number) => Promise<void>): Promise<string | undefined> {
  try {
    const said = await io.aws.ecs.stopDeployment(arn, wait);
    return said === 'asked' || (await isGoingBack(io, arn)) ? undefined : 'it has ended';
  } catch (error) {
    if (withheld(error) === undefined) throw error;
    return 'no permission for ecs:StopServiceDeployment';
  }
}

/** Whether it happened: from what the service shows, and where that is over already, from its history. */
async function lookFor(io: Io, asked: Request): Promise<Result | undefined> {
  const {cluster, service, taskDefinition, stop, newestAt} = asked;
  const now = await io.aws.ecs.service(cluster, service);
  const there = now && inService(asked, now);
  if (there) return begun(taskDefinition, there);
  if (stop !== null && (await isGoingBack(io, stop))) return {taskDefinition, at: null, takenBack: stop};
  // It may have begun and be over: taken back by ECS, or replaced by somebody.
  const past = await io.aws.ecs.deployments(cluster, service, newestAt ?? undefined).catch(() => []);
  const revisions = await io.aws.ecs.serviceRevisions(past.map(({revision}) => revision));
  const ours = past.find(
    ({revision, at}) =>
      revisions.get(revision)?.taskDefinition === taskDefinition && (newestAt === null || at > newestAt + apart),
  );
  return ours && {taskDefinition, at: ours.at, takenBack: null};
}

/** A deployment and its service deployment are dated apart by a moment. Milliseconds. */
const apart = 1000;

/** The deployment that we want, where it is the service's newest. */
function inService({taskDefinition, from, newest}: Request, service: EcsService): EcsDeployment | undefined {
  const primary = primaryOf(service);
  const isAnother = newest === null ? from !== taskDefinition : primary?.id !== newest;
  return primary?.taskDefinition === taskDefinition && isAnother ? primary : undefined;
}

function begun(taskDefinition: string, {createdAt}: EcsDeployment): Result {
  return {taskDefinition, at: createdAt?.getTime() ?? null, takenBack: null};
}

async function isGoingBack(io: Io, arn: string): Promise<boolean> {
  const status = (await io.aws.ecs.watchedDeployment(arn).catch(() => undefined))?.status ?? '';
  return status.startsWith('ROLLBACK_') || status === 'STOP_REQUESTED';
}
