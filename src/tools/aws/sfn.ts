/** Step Functions: the definitions of state machines, as text. */
import {type AwsOptions, clients, errorName, lazy, read, write} from './session.ts';

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

export function createStepFunctions(options: AwsOptions): StepFunctions {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-sfn');
    return {
      ...module,
      ...clients(module.SFNClient, options, 'SFN'),
    };
  });
  return {
    stateMachine: async stateMachineArn => {
      try {
        return await read(options, 'states:DescribeStateMachine', async () => {
          const {reader, DescribeStateMachineCommand} = await sdk();
          const found = await reader.send(new DescribeStateMachineCommand({stateMachineArn}));
          const {stateMachineArn: arn = stateMachineArn, name = '', definition = '', status = 'ACTIVE', revisionId} = found;
          return {arn, name, definition, status, revision: revisionId};
        });
      } catch (error) {
        if (errorName(error) === 'StateMachineDoesNotExist') return undefined;
        throw error;
      }
    },
    list: most =>
      read(options, 'states:ListStateMachines', async () => {
        const {reader, ListStateMachinesCommand} = await sdk();
        const arns: string[] = [];
        let next: string | undefined;
        do {
          const page = await reader.send(new ListStateMachinesCommand({maxResults: 100, ...(next && {nextToken: next})}));
          arns.push(...(page.stateMachines ?? []).flatMap(({stateMachineArn}) => stateMachineArn ?? []));
          next = page.nextToken;
        } while (next !== undefined && arns.length < most);
        return {arns: arns.slice(0, most), more: next !== undefined || arns.length > most};
      }),
    update: async (stateMachineArn, definition, sleep) => {
      const {writer, UpdateStateMachineCommand} = await sdk();
      const command = new UpdateStateMachineCommand({stateMachineArn, definition});
      try {
        await write(options, 'states:UpdateStateMachine', () => writer.send(command), sleep);
        return 'done';
      } catch (error) {
        if (errorName(error) === 'ConflictException') return 'conflict';
        throw error;
      }
    },
  };
}
