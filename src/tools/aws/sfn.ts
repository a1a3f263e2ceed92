/** Step Functions: the definitions of state machines, as text. */
import {clients} from './clients.ts';
import {errorName} from './errors.ts';
import {paged} from './paged.ts';
import {type Session, ifThere, lazy} from './session.ts';
import {together} from './together.ts';

export interface StateMachine {
  readonly arn: string;
  readonly name: string;
  readonly status: string;
  /** The Amazon States Language text exactly as it is stored. */
  readonly definition: string;
  /** Changes with every update; undefined where AWS tells none. */
  readonly revision: string | undefined;
}

export interface StepFunctions {
  /** Undefined when there is none. */
  stateMachine(arn: string): Promise<StateMachine | undefined>;
  /** ARNs of state machines, at most so many. `more`: there are others. */
  list(most: number): Promise<{readonly arns: readonly string[]; readonly more: boolean}>;
  /** Replaces the definition and nothing else. `conflict`: somebody changed it in the same moment, and nothing happened. */
  update(arn: string, definition: string, sleep: (ms: number) => Promise<void>): Promise<'done' | 'conflict'>;
}

export function createStepFunctions(session: Session): StepFunctions {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-sfn');
    return {
      ...module,
      ...clients(module.SFNClient, session.options, 'SFN'),
    };
  });
  const stateMachine = together(async (stateMachineArn: string) => {
    const call = session.read('states:DescribeStateMachine', async () => {
      const {reader, DescribeStateMachineCommand} = await sdk();
      return reader.send(new DescribeStateMachineCommand({stateMachineArn}));
    });
    const found = await ifThere(call, 'StateMachineDoesNotExist');
    if (found === undefined) return undefined;
    const {stateMachineArn: arn = stateMachineArn, name = '', definition = '', status = 'ACTIVE', revisionId} = found;
    return {arn, name, definition, status, revision: revisionId};
  });

  return {
    stateMachine: stateMachine.ask,
    list: async most => {
      const {found: arns, more} = await paged({
        ask: nextToken =>
          session.read('states:ListStateMachines', async () => {
            const {reader, ListStateMachinesCommand} = await sdk();
            return reader.send(new ListStateMachinesCommand({maxResults: 100, nextToken}));
          }),
        items: ({stateMachines = []}) => stateMachines.flatMap(({stateMachineArn}) => stateMachineArn ?? []),
        next: ({nextToken}) => nextToken,
        most,
      });
      return {arns, more};
    },
    update: async (stateMachineArn, definition, sleep) => {
      const {writer, UpdateStateMachineCommand} = await sdk();
      const command = new UpdateStateMachineCommand({stateMachineArn, definition});
      try {
        await session.write('states:UpdateStateMachine', () => writer.send(command), sleep);
        return 'done';
      } catch (error) {
        if (errorName(error) === 'ConflictException') return 'conflict';
        throw error;
      } finally {
        stateMachine.changed();
      }
    },
  };
}
