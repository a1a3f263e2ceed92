import * as z from 'zod';
import {actionsOf, type Service} from '../action.ts';
import {callerArn} from '../iam/permissions.ts';

const codes = {invalidInput: 'ValidationError', internal: 'InternalFailure'};
const action = actionsOf(codes);

export const sts: Service = {
  name: 'sts',
  wire: {protocol: 'query', version: '2011-06-15', namespace: 'https://sts.amazonaws.com/doc/2011-06-15/'},
  codes,
  actions: {
    GetCallerIdentity: action(z.looseObject({}), account => ({
      UserId: 'AROADEPLOYWIZARD00000:demo',
      Account: account.id,
      Arn: callerArn(account),
    })),
  },
};
