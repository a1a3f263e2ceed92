/** Whether a service has come to run a revision with the released images, and why not. One look; whoever waits looks again. */
import type {Check, Claim} from '../../release/model.ts';
import {failed, open, pending} from '../verdict.ts';
import {checkDigests} from './rollout/digests.ts';
import {judge} from './rollout/looking.ts';
import {type Io, type Rollout, rolloutSubject} from './rollout/subject.ts';

export type {Io, Rollout} from './rollout/subject.ts';

/** The look at a claim about a rollout; undefined for any other claim. */
export function checkRollout(claim: Claim, io: Io): Promise<Check> | undefined {
  const {data} = rolloutSubject.safeParse(claim.subject);
  return data && lookAt(claim, data, io);
}

async function lookAt(claim: Claim, rollout: Rollout, io: Io): Promise<Check> {
  const {cluster, service: name} = rollout;
  const see = `aws ecs describe-services --cluster ${cluster} --services ${name}`;
  const service = await io.aws.ecs.watched(cluster, name);
  if (service === undefined) return failed(claim, `there is no service ${name} any more`, {see});
  const judgement = await judge(rollout, service, io);
  if (rollout.is === 'rollout') return {claim: claim.id, text: claim.text, ...judgement, see};
  const {status, cause, waitable} = judgement;
  if (status === 'passed') return checkDigests(claim, rollout, service, io);
  if (status === 'pending') return pending(claim, 'waits for the rollout', {...(cause && {cause})});
  // Where the rollout can be waited for, so can this.
  return waitable
    ? failed(claim, 'the rollout failed', {waitable, ...(cause && {cause})})
    : open(claim, 'not looked at: the rollout did not get there');
}
