/**
 * How AWS is called: clients made lazily, reads that retry, and writes that are sent once. The SDK's own
 * retries sent Publish and RegisterTaskDefinition three times after a 500 or a reset (facts/aws.md,
 * "Retries and doubled effects"): a write whose answer is lost is a LostAnswerError, and its step settles it.
 */
import {DeployError, LostAnswerError} from '../../release/errors.ts';
import type {Timer} from './pacing.ts';

export interface AwsOptions {
  readonly region: string | undefined;
  /** Used only where the environment holds no credentials: those win. */
  readonly profile: string | undefined;
  /** Command that gets new credentials, for the words of an error. */
  readonly login: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What paces the calls; by default this process's own time. */
  readonly timer?: Timer;
  /** Called when AWS does not take the credentials: the next client looks for them anew. */
  readonly renew?: () => void;
}

/** What every client is made with. */
export interface ClientConfig {
  region: string;
  maxAttempts: number;
  endpoint?: string;
  profile?: string;
  credentials?: {accessKeyId: string; secretAccessKey: string; sessionToken?: string; expiration?: Date};
  /** A profile's files are read again for every client: somebody may have logged in meanwhile. */
  ignoreCache: true;
  requestHandler: {connectionTimeout: number; requestTimeout: number; throwOnRequestTimeout: boolean};
}

/** A service as AWS_ENDPOINT_URL_<SERVICE> names it. */
export type Service =
  | 'BATCH'
  | 'CLOUDWATCH_LOGS'
  | 'ECR'
  | 'ECS'
  | 'ELASTIC_LOAD_BALANCING_V2'
  | 'EVENTBRIDGE'
  | 'IAM'
  | 'S3'
  | 'SCHEDULER'
  | 'SFN'
  | 'SNS'
  | 'STS';

const readAttempts = 5;

export function clientConfig(options: AwsOptions, service: Service, use: 'read' | 'write'): ClientConfig {
  const {env, login} = options;
  const region = options.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
  if (region === undefined) {
    throw new DeployError('no AWS region is set', {
      code: 'DW114',
      means: 'Nothing was changed.',
      next: [
        'Set aws.region of the environment in the config file, or AWS_REGION.',
        ...(login ? [`Credentials: ${login.join(' ')}`] : []),
      ],
    });
  }
  const endpoint = env[`AWS_ENDPOINT_URL_${service}`] ?? env['AWS_ENDPOINT_URL'];
  const credentials = environmentCredentials(env);
  return {
    region,
    maxAttempts: use === 'read' ? readAttempts : 1,
    ...(endpoint && {endpoint}),
    ...(credentials && {credentials}),
    ...(options.profile !== undefined && !bringsCredentials(env) && {profile: options.profile}),
    ignoreCache: true,
    requestHandler: {connectionTimeout: 5000, requestTimeout: 20_000, throwOnRequestTimeout: true},
  };
}

/** The two clients of a service: one that may ask again, and one that sends what changes something once. */
export function clients<C>(
  Client: new (config: ClientConfig) => C,
  options: AwsOptions,
  service: Service,
): {readonly reader: C; readonly writer: C} {
  return {
    reader: new Client(clientConfig(options, service, 'read')),
    writer: new Client(clientConfig(options, service, 'write')),
  };
}

/** Whether the environment says where credentials come from: keys, a web identity (OIDC in CI), a container's role. */
export function bringsCredentials(env: AwsOptions['env']): boolean {
  return [
    'AWS_ACCESS_KEY_ID',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  ].some(name => env[name]);
}

/** Credentials that the environment holds; undefined where the SDK has to look further (profile, role, metadata). */
function environmentCredentials(env: AwsOptions['env']): ClientConfig['credentials'] {
  const {AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey} = env;
  if (!accessKeyId || !secretAccessKey) return undefined;
  const {AWS_SESSION_TOKEN: sessionToken, AWS_CREDENTIAL_EXPIRATION: ends} = env;
  const expiration = new Date(ends ?? '');
  // A time that cannot be read says nothing.
  const known = !Number.isNaN(expiration.getTime());
  return {accessKeyId, secretAccessKey, ...(sessionToken && {sessionToken}), ...(known && {expiration})};
}

// ── errors ───────────────────────────────────────────────────────────────────────────────────────────

const throttled = new Set([
  'ThrottlingException',
  'Throttling',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'Throttled',
  'RequestThrottled',
  'LimitExceededException',
  'KMSThrottlingException',
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

/** One call with all its attempts, until the last byte of its answer. Milliseconds. */
const limit = 45_000;

async function withinLimit<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${limit / 1000} s`);
      error.name = 'TimeoutError';
      reject(error);
    }, limit);
  });
  try {
    return await Promise.race([call, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends one call whose answer changes nothing. Errors come in the operator's words. */
export async function read<T>(options: AwsOptions, action: string, call: () => Promise<T>): Promise<T> {
  try {
    return await withinLimit(call());
  } catch (error) {
    throw inWords(options, action, error);
  }
}

/**
 * Sends one call that changes something, exactly once, unless AWS says that it did nothing because it was
 * asked too often. Throws a LostAnswerError when nobody can tell whether it happened.
 */
export async function write<T>(
  options: AwsOptions,
  action: string,
  call: () => Promise<T>,
  sleep: (ms: number) => Promise<void>,
): Promise<T> {
  let outOfTime = false;
  for (let attempt = 0; ; attempt++) {
    try {
      return await withinLimit(call());
    } catch (error) {
      const {name, status} = describe(error);
      // Refused for its date, so nothing has happened; the SDK has set its clock by the answer.
      if (isOutOfTime(error) && !outOfTime) {
        outOfTime = true;
        continue;
      }
      if ((throttled.has(name) || crowded.test(messageOf(error))) && attempt < backoff.length) {
        await sleep(backoff[attempt] ?? 0);
        continue;
      }
      // No status: the connection failed somewhere between here and there.
      if (status === undefined ? !credentialsMissing.has(name) && !isUnsent(error) : status >= 500) {
        throw new LostAnswerError(`the answer to ${action} was lost (${name}: ${messageOf(error)})`, {
          means: 'It may or may not have happened.',
          cause: error,
        });
      }
      throw inWords(options, action, error);
    }
  }
}

/** A signature whose date AWS does not take, because this machine's clock is off by more than five minutes. */
function isOutOfTime(error: unknown): boolean {
  const {name, status, clockSkewCorrected} = describe(error);
  return clockSkewCorrected && status !== undefined && status < 500 && dated.has(name);
}

const dated = new Set(['InvalidSignatureException', 'SignatureDoesNotMatch', 'RequestExpired', 'RequestTimeTooSkewed']);

/** There was no connection yet: nothing can have been sent. */
export function isUnsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && unconnected.has(String(error.code));
}

const unconnected = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Milliseconds between the attempts of a throttled write; the buckets refill 1 to 5 a second (facts/aws.md). */
const backoff = [500, 1000, 2000, 4000, 8000, 8000];

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

function inWords(options: AwsOptions, action: string, error: unknown): DeployError {
  if (error instanceof DeployError) return error;
  const {name} = describe(error);
  const said = messageOf(error);
  if ([credentialsMissing, credentialsEnded, credentialsWrong].some(names => names.has(name))) options.renew?.();
  const again = newCredentials(options);
  if (credentialsMissing.has(name)) {
    const where = options.profile === undefined ? '' : ` in the environment, nor in profile ${options.profile}`;
    return new DeployError(`there are no AWS credentials${where} (${said})`, {code: 'DW110', next: again, cause: error});
  }
  if (credentialsEnded.has(name)) {
    const final = isFixed(options.env);
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
  return new DeployError(`${action} failed: ${name === 'Error' ? said : `${name}: ${said}`}`, {cause: error});
}

/** Whether the credentials are what they were when this process was started, however long it waits. */
function isFixed(env: AwsOptions['env']): boolean {
  return Boolean(env['AWS_ACCESS_KEY_ID']);
}

/** How to get credentials that will do. Those of a process's environment stay what they were when it was started. */
export function newCredentials({login, env}: Pick<AwsOptions, 'login' | 'env'>): readonly string[] {
  const get = login === undefined ? 'Get new credentials' : `Run: ${login.join(' ')}`;
  if (isFixed(env)) return [get, 'Then start again: this process has its credentials from its environment.'];
  return [login === undefined ? `${get}, then try again.` : get];
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

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  return 'code' in error ? String(error.code) : error.name;
}

/** Makes a value once, when it is first asked for; what could not be made is tried again. */
export function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
