import * as z from 'zod';
import {actionsOf, type Service} from '../action.ts';
import {epochSeconds} from '../clock.ts';
import {paginate} from '../pagination.ts';
import {createStateMachine, stateMachineAt, type StateMachine, updateStateMachine} from './machines.ts';

const codes = {invalidInput: 'ValidationException', internal: 'InternalFailure'};
const action = actionsOf(codes);

const configuration = z.looseObject({}).optional();
const configurations = {
  loggingConfiguration: configuration,
  tracingConfiguration: configuration,
  encryptionConfiguration: configuration,
};

export const stepFunctions: Service = {
  name: 'states',
  wire: {protocol: 'json', version: '1.0', target: 'AWSStepFunctions'},
  codes,
  actions: {
    CreateStateMachine: action(
      z.object({
        name: z.string().regex(/^[\w-]{1,80}$/),
        definition: z.string().min(1),
        roleArn: z.string(),
        type: z.enum(['STANDARD', 'EXPRESS']).optional(),
        ...configurations,
      }),
      (account, input) => {
        const {arn, createdAt} = createStateMachine(account, input);
        return {stateMachineArn: arn, creationDate: epochSeconds(createdAt)};
      },
    ),

    DescribeStateMachine: action(z.object({stateMachineArn: z.string()}), (account, {stateMachineArn}) => {
      const {arn, createdAt, ...machine} = stateMachineAt(account, stateMachineArn);
      return {...machine, stateMachineArn: arn, creationDate: epochSeconds(createdAt), status: 'ACTIVE'};
    }),

    UpdateStateMachine: action(
      z.object({
        stateMachineArn: z.string(),
        definition: z.string().min(1).optional(),
        roleArn: z.string().optional(),
        ...configurations,
      }),
      (account, {stateMachineArn, ...change}) => {
        const {revisionId} = updateStateMachine(account, stateMachineArn, change);
        return {updateDate: epochSeconds(account.clock.now()), revisionId};
      },
    ),

    ListStateMachines: action(
      z.object({maxResults: z.int().min(0).max(1000).default(100), nextToken: z.string().optional()}),
      (account, {maxResults, nextToken: token}) => {
        const {items, nextToken} = paginate([...account.stateMachines.values()], {
          // 0 means the default.
          limit: maxResults === 0 ? 100 : maxResults,
          token,
          invalid: 'InvalidToken',
        });
        return {stateMachines: items.map(summary), nextToken};
      },
    ),
  },
};

const summary = ({arn, name, type, createdAt}: StateMachine) => ({
  stateMachineArn: arn,
  name,
  type,
  creationDate: epochSeconds(createdAt),
});
