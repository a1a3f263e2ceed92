import type {AwsError} from '../errors.ts';
import {readJson} from './json.ts';
import type {Incoming, Outgoing} from './message.ts';

/** AWS REST-JSON: the action in method and path, its input in path, query and body, errors named by a header. */
const CONTENT_TYPE = 'application/json';

/** What a path says, if it has the shape of a template such as `/schedules/{Name}`; undefined: it has not. */
export function matchPath(template: string, url: string): Readonly<Record<string, string>> | undefined {
  const wanted = template.split('/');
  const given = pathOf(url).split('/');
  if (wanted.length !== given.length) return undefined;
  const said: Record<string, string> = {};
  for (const [index, step] of wanted.entries()) {
    const label = /^\{(\w+)\}$/.exec(step)?.[1];
    const found = given[index] ?? '';
    if (label === undefined ? step !== found : found === '') return undefined;
    if (label !== undefined) said[label] = decodeURIComponent(found);
  }
  return said;
}

/** A parameter of the query that is there twice counts once: nothing here takes lists in a query. */
export function readRest({url, body}: Incoming, labels: Readonly<Record<string, string>>): unknown {
  const {searchParams} = new URL(url, 'http://endpoint');
  const said = readJson(body);
  return {...(typeof said === 'object' ? said : {}), ...Object.fromEntries(searchParams), ...labels};
}

export const restAnswer = (body: object): Outgoing => ({status: 200, contentType: CONTENT_TYPE, body: JSON.stringify(body)});

export const restError = ({code, message, status}: AwsError): Outgoing => ({
  status,
  contentType: CONTENT_TYPE,
  errorType: code,
  // Some services say `Message`, some `message`.
  body: JSON.stringify({message, Message: message}),
});

const pathOf = (url: string): string => new URL(url, 'http://endpoint').pathname;
