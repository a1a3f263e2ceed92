/** AWS, as far as releases need it. Nothing of the SDK is loaded before a call needs it. */
import {ownTime} from '../pacing.ts';
import {type Batch, createBatch} from './batch.ts';
import {type Ecr, createEcr} from './ecr.ts';
import {type Ecs, createEcs} from './ecs.ts';
import {type Elb, createElb} from './elb.ts';
import {type EventBridge, createEventBridge} from './eventbridge.ts';
import {type Iam, createIam} from './iam.ts';
import {type Logs, createLogs} from './logs.ts';
import {type Scheduler, createScheduler} from './scheduler.ts';
import {createBudgets} from './budgets.ts';
import type {AwsOptions} from './clients.ts';
import {type Session, createSession} from './session.ts';
import {type StepFunctions, createStepFunctions} from './sfn.ts';
import {type Sns, createSns} from './sns.ts';
import {type Sts, createSts} from './sts.ts';

interface Services {
  readonly batch: Batch;
  readonly ecr: Ecr;
  readonly ecs: Ecs;
  readonly elb: Elb;
  readonly events: EventBridge;
  readonly iam: Iam;
  readonly logs: Logs;
  readonly scheduler: Scheduler;
  readonly sfn: StepFunctions;
  readonly sns: Sns;
  readonly sts: Sts;
}

export interface Aws extends Services {
  /** From now on with the credentials that are there by then: what was known of the session is forgotten. */
  renew(): void;
}

/** Credentials that AWS does not take are forgotten at once, so that whoever tries again uses those of a new login. */
export function createAws(options: AwsOptions): Aws {
  // AWS has not forgotten what was asked with the credentials before.
  const budgets = createBudgets(options.timer ?? ownTime);
  const open = (): Services => {
    // Of calls that were refused together the first one renews; what the new session knows since is kept.
    const refused = () => services === mine && renew();
    const mine = createServices(createSession(options, {budgets, renew: refused}));
    return mine;
  };
  const renew = () => void (services = open());
  let services = open();
  return {
    renew,
    get batch() {
      return services.batch;
    },
    get ecr() {
      return services.ecr;
    },
    get ecs() {
      return services.ecs;
    },
    get elb() {
      return services.elb;
    },
    get events() {
      return services.events;
    },
    get iam() {
      return services.iam;
    },
    get logs() {
      return services.logs;
    },
    get scheduler() {
      return services.scheduler;
    },
    get sfn() {
      return services.sfn;
    },
    get sns() {
      return services.sns;
    },
    get sts() {
      return services.sts;
    },
  };
}

function createServices(session: Session): Services {
  return {
    batch: createBatch(session),
    ecr: createEcr(session),
    ecs: createEcs(session),
    elb: createElb(session),
    events: createEventBridge(session),
    iam: createIam(session),
    logs: createLogs(session),
    scheduler: createScheduler(session),
    sfn: createStepFunctions(session),
    sns: createSns(session),
    sts: createSts(session),
  };
}
