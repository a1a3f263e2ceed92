import {AwsError} from '../errors.ts';
import type {Outgoing} from './message.ts';

/** AWS JSON 1.1: the action in `X-Amz-Target`, JSON both ways, errors named by `__type`. */
const CONTENT_TYPE = 'application/x-amz-json-1.1';

export function readJson(body: string): unknown {
  try {
    return body === '' ? {} : JSON.parse(body);
  } catch {
    throw new AwsError('SerializationException', 'The request body is not JSON.');
  }
}

export const jsonAnswer = (body: object): Outgoing => ({status: 200, contentType: CONTENT_TYPE, body: JSON.stringify(body)});

export const jsonError = ({code, message, status}: AwsError): Outgoing => ({
  status,
  contentType: CONTENT_TYPE,
  body: JSON.stringify({__type: code, message}),
});
