import type {Account} from './account.ts';
import type {Service} from './action.ts';
import {AwsError} from './errors.ts';
import type {FaultKind} from './faults.ts';
import {deniedMessage, isDenied} from './iam/permissions.ts';
import {jsonAnswer, jsonError} from './protocol/json.ts';
import type {Outgoing} from './protocol/message.ts';
import {queryAnswer, queryError} from './protocol/query.ts';
import {restAnswer, restError} from './protocol/rest.ts';
import type {Call} from './routing.ts';

/** What the server does with a call: writes an answer, or cuts the connection without one. */
export type Reply = Outgoing | 'cut';

/** What each protocol calls the errors that any call may get. Query says ExpiredToken where JSON says ExpiredTokenException. */
const COMMON_ERRORS = {
  json: {
    expired: {code: 'ExpiredTokenException', status: 400},
    denied: {code: 'AccessDeniedException', status: 400},
    throttled: {code: 'ThrottlingException', status: 400},
    unknownAction: {code: 'UnknownOperationException', status: 400},
  },
  'rest-json': {
    expired: {code: 'ExpiredTokenException', status: 403},
    denied: {code: 'AccessDeniedException', status: 403},
    throttled: {code: 'ThrottlingException', status: 429},
    unknownAction: {code: 'UnknownOperationException', status: 404},
  },
  query: {
    expired: {code: 'ExpiredToken', status: 403},
    denied: {code: 'AccessDenied', status: 403},
    throttled: {code: 'Throttling', status: 400},
    unknownAction: {code: 'InvalidAction', status: 400},
  },
} as const;

/** Acts on a call and says what the caller gets to see. */
export function reply(account: Account, call: Call, fault: FaultKind | undefined, requestId: string): Reply {
  const {service} = call;
  if (fault === 'reset') return 'cut';
  const answer = attempt(service, requestId, () => {
    refuse(account, call, fault);
    return write(call, requestId, perform(account, call));
  });
  return fault === 'lost-answer' ? 'cut' : answer;
}

/** Errors that come before the action is looked at. */
function refuse(account: Account, {service: {name, wire, codes}, action}: Call, fault: FaultKind | undefined): void {
  const {expired, denied, throttled} = COMMON_ERRORS[wire.protocol];
  if (account.credentialsExpired) {
    throw new AwsError(expired.code, 'The security token included in the request is expired', expired.status);
  }
  const permission = `${name}:${action}`;
  if (isDenied(account, permission)) {
    throw new AwsError(codes.denied ?? denied.code, deniedMessage(account, permission), denied.status);
  }
  if (fault === 'throttle') throw new AwsError(codes.throttled ?? throttled.code, 'Rate exceeded', throttled.status);
  if (fault === '500') throw new AwsError(codes.internal, 'An internal error occurred. Try again later.', 500);
  if (typeof fault === 'object') throw new AwsError(fault.code, fault.message ?? `${action} was refused.`, fault.status);
}

function perform(account: Account, {service, action, input}: Call): object {
  const act = Object.hasOwn(service.actions, action) ? service.actions[action] : undefined;
  if (act !== undefined) return act(account, input());
  const {code, status} = COMMON_ERRORS[service.wire.protocol].unknownAction;
  throw new AwsError(code, `The embedded endpoint does not know ${service.name}:${action}.`, status);
}

function write({service: {wire}, action}: Call, requestId: string, answer: object): Outgoing {
  switch (wire.protocol) {
    case 'json':
      return jsonAnswer(wire.version, answer);
    case 'rest-json':
      return restAnswer(answer);
    case 'query':
      return queryAnswer(action, wire.namespace, requestId, answer);
  }
}

/** Errors are answers too, in the words of the service's protocol; what is not AWS's doing is a fault of this endpoint. */
function attempt({wire, codes}: Service, requestId: string, act: () => Outgoing): Outgoing {
  try {
    return act();
  } catch (thrown) {
    const error =
      thrown instanceof AwsError ? thrown : new AwsError(codes.internal, `The embedded endpoint failed: ${String(thrown)}`, 500);
    switch (wire.protocol) {
      case 'json':
        return jsonError(wire.version, error);
      case 'rest-json':
        return restError(error);
      case 'query':
        return queryError(error, wire.namespace, requestId);
    }
  }
}
