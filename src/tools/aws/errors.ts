/** What AWS's errors mean: which say that nothing has happened, which leave it open, and all of them in the operator's words. */
import {DeployError} from '../../release/errors.ts';

/** Whoever calls, as far as the words of an error need it. */
export interface Caller {
  /** Used only where the environment holds no credentials: those win. */
  readonly profile: string | undefined;
  /** Command that gets new credentials. */
  readonly login: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Those of the SDK (`THROTTLING_ERROR_CODES`), and what SNS and KMS say. */
const throttled = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'KMSThrottlingException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'Throttled',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);
const credentialsMissing = new Set(['CredentialsProviderError', 'TokenProviderError']);
const credentialsEnded = new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired']);
const credentialsWrong = new Set([
  'InvalidClientTokenId',
  'UnrecognizedClientException',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
  'AuthFailure',
  'IncompleteSignature',
]);
const denied = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AuthorizationError',
  'UnauthorizedOperation',
  'AuthorizationErrorException',
]);

/** What ECS says, as a ClientException, to revisions of one family that are registered at the same time. */
const crowded = /Too many concurrent attempts/;

/** AWS did nothing, because it was asked too often: the same may be sent again, later. */
export function isThrottled(error: unknown): boolean {
  const {name, status} = describe(error);
  return throttled.has(name) || status === tooManyRequests || crowded.test(messageOf(error));
}

const tooManyRequests = 429;

/** Nobody can tell whether it happened: it was sent, and no answer came, or one that says nothing. */
export function isAnswerLost(error: unknown): boolean {
  if (isThrottled(error)) return false;
  const {name, status} = describe(error);
  // No status: the connection failed somewhere between here and there.
  if (status === undefined) return !credentialsMissing.has(name) && !isUnsent(error);
  // AWS took it, and what it said of that was cut off, or came from somebody else.
  return status < 300 || status >= 500;
}

/** A signature whose date AWS does not take, because this machine's clock is off by more than five minutes. */
export function isOutOfTime(error: unknown): boolean {
  const {name, status, clockSkewCorrected} = describe(error);
  return clockSkewCorrected && status !== undefined && status < 500 && dated.has(name);
}

const dated = new Set(['InvalidSignatureException', 'SignatureDoesNotMatch', 'RequestExpired', 'RequestTimeTooSkewed']);

/** AWS has read the question, and does not take it as it is: whoever asks for less at once may have an answer. */
export function isRefused(error: unknown): boolean {
  const cause = error instanceof DeployError ? error.cause : error;
  const {name, status} = describe(cause);
  const isOurs = denied.has(name) || isThrottled(cause) || isAboutCredentials(cause);
  return status !== undefined && status >= 400 && status < 500 && !isOurs;
}

/** There was no connection yet: nothing can have been sent. */
export function isUnsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && unconnected.has(String(error.code));
}

const unconnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** The error name that AWS gave, for the few that are answers (not found). */
export function errorName(error: unknown): string {
  return describe(error instanceof DeployError ? error.cause : error).name;
}

/** Why AWS will not answer this however often it is asked: not allowed, or not known there. Undefined for any other error. */
export function withheld(error: unknown): 'denied' | 'unknown there' | undefined {
  const name = errorName(error);
  if (denied.has(name)) return 'denied';
  return unknownThere.has(name) ? 'unknown there' : undefined;
}

/** What partitions, regions and stand-ins say that lack a newer part of the API. */
const unknownThere = new Set(['UnsupportedFeatureException', 'UnknownOperationException', 'InvalidAction', 'NotImplemented']);

/** AWS does not take the credentials, or there are none. */
export function isAboutCredentials(error: unknown): boolean {
  const {name} = describe(error);
  return [credentialsMissing, credentialsEnded, credentialsWrong].some(names => names.has(name));
}

/** `action` as IAM names it. */
export function inWords(caller: Caller, action: string, error: unknown): DeployError {
  if (error instanceof DeployError) return error;
  const {name} = describe(error);
  const said = messageOf(error);
  const again = newCredentials(caller);
  if (credentialsMissing.has(name)) {
    const where = caller.profile === undefined ? '' : ` in the environment, nor in profile ${caller.profile}`;
    return new DeployError(`there are no AWS credentials${where} (${said})`, {code: 'DW110', next: again, cause: error});
  }
  if (credentialsEnded.has(name)) {
    const final = isFixed(caller.env);
    return new DeployError('the AWS credentials have ended', {code: 'DW111', next: again, final, cause: error});
  }
  if (credentialsWrong.has(name))
    return new DeployError(`AWS does not accept the credentials (${name})`, {code: 'DW112', next: again, cause: error});
  if (denied.has(name)) {
    return new DeployError(`not allowed to call ${action}: ${said}`, {
      code: 'DW113',
      next: [`Ask for the permission ${action}, or use other credentials.`],
      cause: error,
    });
  }
  const between = isUnreadable(error) && ['Look at what is between here and AWS: a proxy, a VPN, AWS_ENDPOINT_URL.'];
  return new DeployError(`${action} failed: ${inBrief(error)}`, {...(between && {next: between}), cause: error});
}

/** What went wrong, with AWS's name for it where there is one. */
export function inBrief(error: unknown): string {
  const {name} = describe(error);
  const said = messageOf(error);
  return name === 'Error' || isUnreadable(error) ? said : `${name}: ${said}`;
}

/** Whether the credentials are what they were when this process was started, however long it waits. */
function isFixed(env: Caller['env']): boolean {
  return Boolean(env['AWS_ACCESS_KEY_ID']);
}

/** How to get credentials that will do. Those of a process's environment stay what they were when it was started. */
export function newCredentials({login, env}: Pick<Caller, 'login' | 'env'>): readonly string[] {
  const get = login === undefined ? 'Get new credentials' : `Run: ${login.join(' ')}`;
  if (isFixed(env)) return [get, 'Then start again: this process has its credentials from its environment.'];
  return [login === undefined ? `${get}, then try again.` : get];
}

function httpOf(error: unknown): string {
  const {status} = describe(error);
  return status === undefined ? '' : ` (HTTP ${status})`;
}

function describe(error: unknown): {
  readonly name: string;
  readonly status: number | undefined;
  readonly clockSkewCorrected: boolean;
} {
  if (!(error instanceof Error)) return {name: 'Error', status: undefined, clockSkewCorrected: false};
  const metadata: object = '$metadata' in error ? Object(error.$metadata) : {};
  const status: unknown = 'httpStatusCode' in metadata ? metadata.httpStatusCode : undefined;
  const clockSkewCorrected = 'clockSkewCorrected' in metadata && metadata.clockSkewCorrected === true;
  return {name: error.name, status: typeof status === 'number' ? status : undefined, clockSkewCorrected};
}

/** What the SDK makes of an answer that is none of AWS's: a page of a proxy, or half of it. */
function isUnreadable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (error.name === 'Unknown' && /^Unknown(?:Error)?$/.test(error.message)) || error.message.includes(unreadable);
}

const unreadable = 'Deserialization error';

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isUnreadable(error)) return `the answer${httpOf(error)} is none that AWS gives, or only a part of one`;
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}
