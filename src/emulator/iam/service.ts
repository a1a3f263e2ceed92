import * as z from 'zod';
import {actionsOf, type Service} from '../action.ts';
import {AwsError} from '../errors.ts';
import {numbered} from '../protocol/query.ts';
import {callerRole, isDenied} from './permissions.ts';

const codes = {invalidInput: 'ValidationError', internal: 'ServiceFailure'};
const action = actionsOf(codes);

/** `ActionNames.member.N` */
const names = z.object({member: z.record(z.string(), z.string())}).transform(({member}) => numbered(member));

const ENTITY = /^arn:aws:iam::(\d{12}):(?:role|user|group)\/.+$/;

export const iam: Service = {
  name: 'iam',
  wire: {protocol: 'query', version: '2010-05-08', namespace: 'https://iam.amazonaws.com/doc/2010-05-08/'},
  codes,
  actions: {
    /** The one role that is known here is the caller's. */
    GetRole: action(z.object({RoleName: z.string()}), (account, {RoleName}) => {
      if (RoleName !== callerRole) throw new AwsError('NoSuchEntity', `The role with name ${RoleName} cannot be found.`, 404);
      return {
        Role: {
          Path: '/',
          RoleName,
          RoleId: 'AROADEPLOYWIZARD00000',
          Arn: `arn:aws:iam::${account.id}:role/${RoleName}`,
          CreateDate: '2026-01-01T00:00:00Z',
          AssumeRolePolicyDocument: '%7B%7D',
          MaxSessionDuration: 3600,
        },
      };
    }),

    // Loose, for context entries and policies to add may be given: what is denied here is denied under all of them.
    SimulatePrincipalPolicy: action(
      z.looseObject({PolicySourceArn: z.string(), ActionNames: names, ResourceArns: names.default(['*'])}),
      (account, {PolicySourceArn, ActionNames, ResourceArns}) => {
        const owner = ENTITY.exec(PolicySourceArn)?.[1];
        // The ARN of a session (`sts::…:assumed-role/…`) is no entity: the role's own is wanted.
        if (owner === undefined) {
          throw new AwsError(
            'InvalidInput',
            `Invalid Entity Arn: ${PolicySourceArn} does not clearly define entity type and name.`,
          );
        }
        if (owner !== account.id) throw new AwsError('NoSuchEntity', `${PolicySourceArn} cannot be found.`, 404);
        const decide = (name: string, resource: string) => (isDenied(account, name, resource) ? 'implicitDeny' : 'allowed');
        return {
          EvaluationResults: ActionNames.map(name => ({
            EvalActionName: name,
            // A template of what the action is about, and never what was asked for: that stands below.
            EvalResourceName: '*',
            EvalDecision: ResourceArns.some(resource => decide(name, resource) !== 'allowed') ? 'implicitDeny' : 'allowed',
            MatchedStatements: [],
            MissingContextValues: [],
            ResourceSpecificResults: ResourceArns.filter(resource => resource !== '*').map(resource => ({
              EvalResourceName: resource,
              EvalResourceDecision: decide(name, resource),
              MatchedStatements: [],
              MissingContextValues: [],
            })),
          })),
          IsTruncated: false,
        };
      },
    ),
  },
};
