/** AWS, as far as releases need it. Nothing of the SDK is loaded before a call needs it. */
import {type Ecr, createEcr} from './ecr.ts';
import {type Ecs, createEcs} from './ecs.ts';
import {type EventBridge, createEventBridge} from './eventbridge.ts';
import type {AwsOptions} from './session.ts';
import {type Sns, createSns} from './sns.ts';
import {type Sts, createSts} from './sts.ts';

export interface Aws {
  readonly ecr: Ecr;
  readonly ecs: Ecs;
  readonly events: EventBridge;
  readonly sns: Sns;
  readonly sts: Sts;
}

export function createAws(options: AwsOptions): Aws {
  return {
    ecr: createEcr(options),
    ecs: createEcs(options),
    events: createEventBridge(options),
    sns: createSns(options),
    sts: createSts(options),
  };
}
