import * as z from 'zod';
import {actionsOf} from '../action.ts';
import type {PageRequest} from '../pagination.ts';
import {DEFAULT_CLUSTER} from './clusters.ts';

/** What the actions of ECS have in common. */
export const codes = {invalidInput: 'InvalidParameterException', internal: 'ServerException'};

export const action = actionsOf(codes);

export const cluster = z.string().default(DEFAULT_CLUSTER);

export const tags = z.array(z.object({key: z.string(), value: z.string().optional()})).optional();

/** Whether `include` asks for something, such as TAGS. */
export const include = z.array(z.string()).default([]);

/** @param size of a page when the caller does not say */
export const pageOf = (size: number) => ({nextToken: z.string().optional(), maxResults: z.int().min(1).max(100).default(size)});

export const pageRequest = (input: {maxResults: number; nextToken?: string | undefined}): PageRequest => ({
  limit: input.maxResults,
  token: input.nextToken,
  invalid: codes.invalidInput,
});

/** Splits what was asked for into what there is and AWS's `failures`, which come with HTTP 200. */
export function lookUp<T>(wanted: readonly string[], find: (name: string) => T | undefined, arnOf: (name: string) => string) {
  const looked = wanted.map(name => ({name, found: find(name)}));
  return {
    found: looked.flatMap(({found}) => (found === undefined ? [] : [found])),
    failures: looked.filter(({found}) => found === undefined).map(({name}) => ({arn: arnOf(name), reason: 'MISSING'})),
  };
}
