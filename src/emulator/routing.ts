import type {Service} from './action.ts';
import {ecr} from './ecr/service.ts';
import {ecs} from './ecs/service.ts';
import {AwsError} from './errors.ts';
import {eventbridge} from './eventbridge/service.ts';
import {readJson} from './protocol/json.ts';
import type {Incoming} from './protocol/message.ts';
import {readForm} from './protocol/query.ts';
import {sns} from './sns/service.ts';
import {sts} from './sts/service.ts';

/** All services live on one port: a request says itself which one it is for. */
const SERVICES: readonly Service[] = [ecs, ecr, eventbridge, sns, sts];

export interface Call {
  readonly service: Service;
  readonly action: string;
  /** Reads the body. Separate, for a body that cannot be read is an error of a service that is known by then. */
  readonly input: () => unknown;
}

/** Which service and action a request asks for. */
export function route({headers, body}: Incoming): Call {
  const target = headers['x-amz-target'];
  return typeof target === 'string' ? routeTarget(target, body) : routeForm(headers.authorization, body);
}

function routeTarget(header: string, body: string): Call {
  const [target = '', action = ''] = header.split('.');
  const service = SERVICES.find(({wire}) => wire.protocol === 'json' && wire.target === target);
  if (service === undefined) throw new AwsError('UnknownOperationException', `No service here answers to ${header}.`);
  return {service, action, input: () => readJson(body)};
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
