import {type Account, arnIn} from '../account.ts';
import {AwsError} from '../errors.ts';
import {uuid} from '../naming.ts';

/** What UpdateStateMachine can change, one by one: what is not said stays, unlike in EventBridge Scheduler. */
export interface MachineSettings {
  /** Amazon States Language: JSON, as text. */
  readonly definition: string;
  readonly roleArn: string;
  readonly loggingConfiguration: unknown;
  readonly tracingConfiguration: unknown;
  readonly encryptionConfiguration: unknown;
}

export interface StateMachine extends MachineSettings {
  readonly name: string;
  readonly arn: string;
  readonly type: 'STANDARD' | 'EXPRESS';
  readonly createdAt: number;
  /** Undefined until the first update. */
  readonly revisionId: string | undefined;
}

const DEFAULTS = {
  loggingConfiguration: {level: 'OFF', includeExecutionData: false},
  tracingConfiguration: {enabled: false},
  encryptionConfiguration: {type: 'AWS_OWNED_KEY'},
};

/** Settings of which some may have been left out. */
export type Said<T> = {readonly [key in keyof T]?: T[key] | undefined};

export type NewMachine = Pick<StateMachine, 'name' | 'definition' | 'roleArn'> &
  Said<Pick<StateMachine, 'type' | keyof typeof DEFAULTS>>;

/** Creates a state machine; saying the same again finds it, as CreateStateMachine does. */
export function createStateMachine(account: Account, machine: NewMachine): StateMachine {
  checkDefinition(machine.definition);
  const arn = arnIn(account, 'states', `stateMachine:${machine.name}`);
  const present = account.stateMachines.get(arn);
  if (present !== undefined && present.definition !== machine.definition) {
    throw new AwsError('StateMachineAlreadyExists', `State Machine Already Exists: '${arn}'`);
  }
  const created: StateMachine = present ?? {
    ...DEFAULTS,
    type: 'STANDARD',
    ...defined(machine),
    name: machine.name,
    definition: machine.definition,
    roleArn: machine.roleArn,
    arn,
    createdAt: account.clock.now(),
    revisionId: undefined,
  };
  account.stateMachines.set(arn, created);
  return created;
}

/** Changes what is said, and gives the definition another revision id. */
export function updateStateMachine(account: Account, arn: string, change: Said<MachineSettings>): StateMachine {
  const machine = stateMachineAt(account, arn);
  if (change.definition !== undefined) checkDefinition(change.definition);
  if (change.definition === undefined && change.roleArn === undefined) {
    throw new AwsError('MissingRequiredParameter', 'Either the definition, the role ARN, or both must be specified');
  }
  const updated = {...machine, ...defined(change), revisionId: uuid(account.seed, arn, 'revision', account.serial())};
  account.stateMachines.set(arn, updated);
  return updated;
}

export function stateMachineAt({stateMachines}: Account, arn: string): StateMachine {
  if (!arn.startsWith('arn:aws:states:')) throw new AwsError('InvalidArn', `Invalid Arn: '${arn}'`);
  const machine = stateMachines.get(arn);
  if (machine === undefined) throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  return machine;
}

/** Only what was said. */
function defined<T extends object>(said: T): {[key in keyof T]: Exclude<T[key], undefined>};
function defined(said: object): object {
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

function checkDefinition(definition: string): void {
  try {
    JSON.parse(definition);
  } catch {
    throw new AwsError('InvalidDefinition', "Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION: it is not JSON'");
  }
}
