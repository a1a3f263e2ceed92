import type {Service} from './action.ts';
import {batch} from './batch/service.ts';
import {ecr} from './ecr/service.ts';
import {ecs} from './ecs/service.ts';
import {elb} from './elb/service.ts';
import {AwsError} from './errors.ts';
import {eventbridge} from './eventbridge/service.ts';
import {iam} from './iam/service.ts';
import {logs} from './logs/service.ts';
import {readJson} from './protocol/json.ts';
import type {Incoming} from './protocol/message.ts';
import {readForm} from './protocol/query.ts';
import {matchPath, readRest} from './protocol/rest.ts';
import {scheduler} from './scheduler/service.ts';
import {sns} from './sns/service.ts';
import {stepFunctions} from './stepfunctions/service.ts';
import {sts} from './sts/service.ts';

/** All services live on one port: a request says itself which one it is for. */
export const SERVICES: readonly Service[] = [ecs, ecr, eventbridge, scheduler, batch, stepFunctions, sns, logs, elb, iam, sts];

export interface Call {
  readonly service: Service;
  readonly action: string;
  /** Reads the body. Separate, for a body that cannot be read is an error of a service that is known by then. */
  readonly input: () => unknown;
}

/** Which service and action a request asks for: by its header, its path, or its form. */
export function route(incoming: Incoming): Call {
  const {headers, url, body} = incoming;
  const target = headers['x-amz-target'];
  if (typeof target === 'string') return routeTarget(target, body);
  return url.startsWith('/?') || url === '/' ? routeForm(headers.authorization, body) : routePath(incoming);
}

function routeTarget(header: string, body: string): Call {
  const [target = '', action = ''] = header.split('.');
  const service = SERVICES.find(({wire}) => wire.protocol === 'json' && wire.target === target);
  if (service === undefined) throw new AwsError('UnknownOperationException', `No service here answers to ${header}.`);
  return {service, action, input: () => readJson(body)};
}

function routePath(incoming: Incoming): Call {
  for (const service of SERVICES) {
    if (service.wire.protocol !== 'rest-json') continue;
    for (const [action, {method, path}] of Object.entries(service.wire.routes)) {
      const labels = method === incoming.method ? matchPath(path, incoming.url) : undefined;
      if (labels !== undefined) return {service, action, input: () => readRest(incoming, labels)};
    }
  }
  throw new AwsError('UnknownOperationException', `No service here answers to ${incoming.method} ${incoming.url}.`, 404);
}

function routeForm(authorization: string | undefined, body: string): Call {
  const form = readForm(body);
  const {Action: action, Version: version} = form;
  const scope = serviceInScope(authorization);
  const service = SERVICES.find(
    ({name, wire}) => wire.protocol === 'query' && (scope === undefined ? wire.version === version : name === scope),
  );
  if (service === undefined || typeof action !== 'string') {
    throw new AwsError('MissingAction', `No service here answers to ${JSON.stringify({service: scope, action, version})}.`);
  }
  return {service, action, input: () => form};
}

/** SigV4: `Credential=<key>/<date>/<region>/<service>/aws4_request`. */
const serviceInScope = (authorization = ''): string | undefined =>
  /Credential=[^/,]+\/\d+\/[^/]+\/([^/]+)\/aws4_request/.exec(authorization)?.[1];
