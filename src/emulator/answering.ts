import type {Account} from './account.ts';
import type {Service} from './action.ts';
import {AwsError} from './errors.ts';
import type {FaultKind} from './faults.ts';
import {jsonAnswer, jsonError} from './protocol/json.ts';
import type {Outgoing} from './protocol/message.ts';
import {queryAnswer, queryError} from './protocol/query.ts';
import type {Call} from './routing.ts';

/** What the server does with a call: writes an answer, or cuts the connection without one. */
export type Reply = Outgoing | 'cut';

/** What each protocol calls the errors that any call may get. Query says ExpiredToken where JSON says ExpiredTokenException. */
const COMMON_ERRORS = {
  json: {
    expired: {code: 'ExpiredTokenException', status: 400},
    throttled: {code: 'ThrottlingException', status: 400},
    unknownAction: {code: 'UnknownOperationException', status: 400},
  },
  query: {
    expired: {code: 'ExpiredToken', status: 403},
    throttled: {code: 'Throttling', status: 400},
    unknownAction: {code: 'InvalidAction', status: 400},
  },
} as const;

/** Acts on a call and says what the caller gets to see. */
export function reply(account: Account, call: Call, fault: FaultKind | undefined, requestId: string): Reply {
  const {service} = call;
  if (fault === 'reset') return 'cut';
  const answer = attempt(service, requestId, () => {
    refuse(account, service, fault);
    return write(call, requestId, perform(account, call));
  });
  return fault === 'lost-answer' ? 'cut' : answer;
}

/** Errors that come before the action is looked at. */
function refuse({credentialsExpired}: Account, {wire, codes}: Service, fault: FaultKind | undefined): void {
  const {expired, throttled} = COMMON_ERRORS[wire.protocol];
  if (credentialsExpired) {
    throw new AwsError(expired.code, 'The security token included in the request is expired', expired.status);
  }
  if (fault === 'throttle') throw new AwsError(throttled.code, 'Rate exceeded', throttled.status);
  if (fault === '500') throw new AwsError(codes.internal, 'An internal error occurred. Try again later.', 500);
}

function perform(account: Account, {service, action, input}: Call): object {
  const act = Object.hasOwn(service.actions, action) ? service.actions[action] : undefined;
  if (act !== undefined) return act(account, input());
  const {code, status} = COMMON_ERRORS[service.wire.protocol].unknownAction;
  throw new AwsError(code, `The embedded endpoint does not know ${service.name}:${action}.`, status);
}

function write({service: {wire}, action}: Call, requestId: string, answer: object): Outgoing {
  return wire.protocol === 'json' ? jsonAnswer(answer) : queryAnswer(action, wire.namespace, requestId, answer);
}

/** Errors are answers too, in the words of the service's protocol; what is not AWS's doing is a fault of this endpoint. */
function attempt({wire, codes}: Service, requestId: string, act: () => Outgoing): Outgoing {
  try {
    return act();
  } catch (thrown) {
    const error =
      thrown instanceof AwsError ? thrown : new AwsError(codes.internal, `The embedded endpoint failed: ${String(thrown)}`, 500);
    return wire.protocol === 'json' ? jsonError(error) : queryError(error, wire.namespace, requestId);
  }
}
