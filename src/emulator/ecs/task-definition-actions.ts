import * as z from 'zod';
import type {Action} from '../action.ts';
import {paginate} from '../pagination.ts';
import {action, include, pageOf, pageRequest, tags} from './schemas.ts';
import {deregisterTaskDefinition, registerTaskDefinition, taskDefinitionNamed} from './task-definitions.ts';
import {taskDefinitionView} from './views.ts';

const containerDefinitions = z.array(z.looseObject({name: z.string().min(1), image: z.string().min(1)})).min(1);

export const taskDefinitionActions: Readonly<Record<string, Action>> = {
  // Loose, for it takes far more than is looked at here, and all of it must come back in DescribeTaskDefinition.
  RegisterTaskDefinition: action(
    z.looseObject({family: z.string().regex(/^[\w-]{1,255}$/), containerDefinitions, tags}),
    (account, input) => {
      const definition = registerTaskDefinition(account, input);
      return {taskDefinition: taskDefinitionView(account, definition), tags: definition.tags};
    },
  ),

  // Tags come beside the task definition, and only when asked for.
  DescribeTaskDefinition: action(z.object({taskDefinition: z.string(), include}), (account, input) => {
    const definition = taskDefinitionNamed(account, input.taskDefinition, 'Unable to describe task definition.');
    return {
      taskDefinition: taskDefinitionView(account, definition),
      tags: input.include.includes('TAGS') ? definition.tags : undefined,
    };
  }),

  ListTaskDefinitions: action(
    z.object({
      familyPrefix: z.string().optional(),
      status: z.enum(['ACTIVE', 'INACTIVE']).default('ACTIVE'),
      sort: z.enum(['ASC', 'DESC']).default('ASC'),
      ...pageOf(100),
    }),
    (account, input) => {
      const families = [...account.taskDefinitions.keys()].filter(family => (input.familyPrefix ?? family) === family).toSorted();
      const ascending = families
        .flatMap(family => account.taskDefinitions.get(family) ?? [])
        .filter(({status}) => status === input.status)
        .map(({arn}) => arn);
      const {items, nextToken} = paginate(input.sort === 'ASC' ? ascending : ascending.toReversed(), pageRequest(input));
      return {taskDefinitionArns: items, nextToken};
    },
  ),

  DeregisterTaskDefinition: action(
    z.object({taskDefinition: z.string().regex(/:\d+$/, 'a revision must be given')}),
    (account, input) => ({
      taskDefinition: taskDefinitionView(account, deregisterTaskDefinition(account, input.taskDefinition)),
    }),
  ),
};
