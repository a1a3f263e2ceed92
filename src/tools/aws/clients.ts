/** What AWS is called with: the SDK's clients, their endpoint, region and credentials. */
import {DeployError} from '../../release/errors.ts';
import type {Caller} from './errors.ts';
import type {Timer} from '../pacing.ts';

export interface AwsOptions extends Caller {
  readonly region: string | undefined;
  /** What paces the calls; by default this process's own time. */
  readonly timer?: Timer;
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
