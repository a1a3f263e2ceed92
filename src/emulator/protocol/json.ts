import {AwsError} from '../errors.ts';
import type {Outgoing} from './message.ts';

/** AWS JSON 1.0 and 1.1: the action in `X-Amz-Target`, JSON both ways, errors named by `__type`. */
export type JsonVersion = '1.0' | '1.1';

const contentType = (version: JsonVersion): string => `application/x-amz-json-${version}`;

export function readJson(body: string): unknown {
  try {
    return body === '' ? {} : JSON.parse(body);
  } catch {
    throw new AwsError('SerializationException', 'The request body is not JSON.');
  }
}

export const jsonAnswer = (version: JsonVersion, body: object): Outgoing => ({
  status: 200,
  contentType: contentType(version),
  body: JSON.stringify(body),
});

export const jsonError = (version: JsonVersion, {code, message, status}: AwsError): Outgoing => ({
  status,
  contentType: contentType(version),
  body: JSON.stringify({__type: code, message}),
});
