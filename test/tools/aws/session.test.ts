import {describe, expect, test} from 'vitest';
import {DeployError, LostAnswerError, StoppedError, UnsentError} from '../../../src/release/errors.ts';
import {type AwsOptions, clientConfig} from '../../../src/tools/aws/clients.ts';
import {errorName} from '../../../src/tools/aws/errors.ts';
import {createSession, lazy} from '../../../src/tools/aws/session.ts';

const options: AwsOptions = {region: 'us-east-1', profile: undefined, login: ['chopaws'], env: {}};

/** An error as the SDK throws it. Without a status there was no answer. */
function sdkError(name: string, {status, code, message = 'so it is'}: {status?: number; code?: string; message?: string} = {}) {
  return Object.assign(new Error(message), {name, $metadata: {httpStatusCode: status}, ...(code !== undefined && {code})});
}

const thrown = (error: Error) => async (): Promise<never> => {
  throw error;
};

/** What becomes of an error on its way to the operator. */
async function caught(work: Promise<unknown>): Promise<DeployError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DeployError)) throw new Error(`no DeployError but ${String(error)}`);
  return error;
}

describe('errors in the operator’s words', () => {
  test.each(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'])('%s: the session is over', async name => {
    const error = await caught(createSession(options).read('sts:GetCallerIdentity', thrown(sdkError(name, {status: 403}))));
    expect(error.message).toBe('the AWS credentials have ended');
    expect(error.next).toEqual(['Run: chopaws']);
  });

  test.each(['CredentialsProviderError', 'TokenProviderError'])('%s: there are none', async name => {
    const error = await caught(createSession(options).read('sts:GetCallerIdentity', thrown(sdkError(name))));
    expect(error.message).toBe('there are no AWS credentials (so it is)');
    expect(error.next).toEqual(['Run: chopaws']);
  });

  test('a profile that holds none is named', async () => {
    const error = await caught(
      createSession({...options, profile: 'prod'}).read('sts:GetCallerIdentity', thrown(sdkError('CredentialsProviderError'))),
    );
    expect(error.message).toBe('there are no AWS credentials in the environment, nor in profile prod (so it is)');
  });

  test.each(['InvalidClientTokenId', 'UnrecognizedClientException', 'SignatureDoesNotMatch', 'InvalidSignatureException'])(
    '%s: they are not accepted',
    async name => {
      const error = await caught(
        createSession({...options, login: undefined}).read('ecs:DescribeServices', thrown(sdkError(name, {status: 403}))),
      );
      expect(error.message).toBe(`AWS does not accept the credentials (${name})`);
      expect(error.next).toEqual(['Get new credentials, then try again.']);
    },
  );

  test.each(['AccessDenied', 'AccessDeniedException', 'AuthorizationError', 'AuthorizationErrorException'])(
    '%s: the permission is named',
    async name => {
      const error = await caught(createSession(options).read('ecs:UpdateService', thrown(sdkError(name, {status: 400}))));
      expect(error.message).toBe('not allowed to call ecs:UpdateService: so it is');
      expect(error.next).toEqual(['Ask for the permission ecs:UpdateService, or use other credentials.']);
    },
  );

  test('anything else is said with its name, and can still be told apart', async () => {
    const error = await caught(
      createSession(options).read('ecr:DescribeImages', thrown(sdkError('ImageNotFoundException', {status: 400}))),
    );
    expect(error.message).toBe('ecr:DescribeImages failed: ImageNotFoundException: so it is');
    expect(errorName(error)).toBe('ImageNotFoundException');
  });
});

describe('a call that changes something', () => {
  /** Answers with each of the outcomes in turn. */
  function calls(...outcomes: readonly unknown[]) {
    const waits: number[] = [];
    let made = 0;
    const call = () => {
      const outcome = outcomes[made++];
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    };
    return {
      sent: () => made,
      waits,
      result: createSession(options).write('sns:Publish', call, ms => Promise.resolve(void waits.push(ms))),
    };
  }

  test.each([
    ['Throttling', 400],
    ['ThrottlingException', 400],
    ['ThrottledException', 400],
    ['TooManyRequestsException', 400],
    ['RequestLimitExceeded', 400],
    ['SlowDown', 503],
    // A page, say, of whoever stands in between.
    ['SyntaxError', 429],
  ])('%s (%i): AWS did nothing, so it is sent again, later and later', async (name, status) => {
    const throttled = sdkError(name, {status});
    const {result, sent, waits} = calls(throttled, throttled, 'done');
    expect(await result).toBe('done');
    expect(sent()).toBe(3);
    expect(waits).toEqual([500, 1000]);
  });

  test('revisions of one family that get into each other’s way are registered again', async () => {
    const crowded = sdkError('ClientException', {
      status: 400,
      message: 'Too many concurrent attempts to create a new revision of the specified family.',
    });
    const {result, sent} = calls(crowded, 'done');
    expect(await result).toBe('done');
    expect(sent()).toBe(2);
  });

  test('whoever is stopped while it waits is told that nothing was sent', async () => {
    const throttled = () => Promise.reject(sdkError('Throttling', {status: 400}));
    const stopped = () => Promise.reject(new StoppedError('stopped while waiting'));
    await expect(createSession(options).write('sns:Publish', throttled, stopped)).rejects.toThrow(UnsentError);
  });

  test('throttled for ever, it gives up', async () => {
    const {result, sent} = calls(...Array.from({length: 20}, () => sdkError('ThrottlingException', {status: 500})));
    const error = await caught(result);
    expect(error).not.toBeInstanceOf(LostAnswerError);
    expect(error.message).toContain('ThrottlingException');
    expect(sent()).toBe(7);
  });

  test.each([
    ['an internal error', sdkError('InternalFailure', {status: 500})],
    ['an answer of success that cannot be read', sdkError('SyntaxError', {status: 200})],
    ['a gateway that gave up', sdkError('ServiceUnavailable', {status: 503})],
    ['a connection that was reset', sdkError('Error', {code: 'ECONNRESET'})],
    ['no answer in time', sdkError('TimeoutError', {code: 'ETIMEDOUT'})],
  ])('%s: nobody knows, and it is not sent again', async (_what, error) => {
    const {result, sent} = calls(error, 'done');
    expect(await caught(result)).toBeInstanceOf(LostAnswerError);
    expect(sent()).toBe(1);
  });

  test.each([
    ['a refusal', sdkError('InvalidParameterException', {status: 400})],
    ['ended credentials', sdkError('ExpiredTokenException', {status: 400})],
    ['no credentials', sdkError('CredentialsProviderError')],
    ['nobody there', sdkError('Error', {code: 'ECONNREFUSED'})],
    ['an unknown host', sdkError('Error', {code: 'ENOTFOUND'})],
  ])('%s: nothing has happened', async (_what, error) => {
    const {result, sent} = calls(error, 'done');
    expect(await caught(result)).not.toBeInstanceOf(LostAnswerError);
    expect(sent()).toBe(1);
  });
});

describe('clients', () => {
  const keys = {AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'not-a-secret'};

  test('send what changes something once, and may repeat a look', () => {
    expect(clientConfig(options, 'SNS', 'write').maxAttempts).toBe(1);
    expect(clientConfig(options, 'SNS', 'read').maxAttempts).toBeGreaterThan(1);
  });

  test('go where the environment says, the service’s own endpoint first', () => {
    const env = {AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_ENDPOINT_URL_ECS: 'http://127.0.0.1:2'};
    expect(clientConfig({...options, env}, 'ECS', 'read').endpoint).toBe('http://127.0.0.1:2');
    expect(clientConfig({...options, env}, 'ECR', 'read').endpoint).toBe('http://127.0.0.1:1');
    expect(clientConfig(options, 'ECR', 'read')).not.toHaveProperty('endpoint');
  });

  test('use the credentials of the environment before a profile', () => {
    const profile = {...options, profile: 'prod'};
    expect(clientConfig({...profile, env: keys}, 'ECS', 'read')).toMatchObject({credentials: {accessKeyId: 'AKIDEXAMPLE'}});
    expect(clientConfig({...profile, env: keys}, 'ECS', 'read')).not.toHaveProperty('profile');
    expect(clientConfig(profile, 'ECS', 'read')).toMatchObject({profile: 'prod'});
  });

  test('know when a session ends, if the environment says so in a way that can be read', () => {
    const ends = (AWS_CREDENTIAL_EXPIRATION: string) =>
      clientConfig({...options, env: {...keys, AWS_CREDENTIAL_EXPIRATION}}, 'ECS', 'read').credentials?.expiration;
    expect(ends('2026-11-21T23:41:00Z')).toEqual(new Date(Date.UTC(2026, 10, 21, 23, 41)));
    expect(ends('tomorrow')).toBeUndefined();
    expect(ends('')).toBeUndefined();
  });

  test('are not made without a region', () => {
    const nowhere = {...options, region: undefined};
    expect(() => clientConfig(nowhere, 'ECS', 'read')).toThrow('no AWS region is set');
    expect(clientConfig({...nowhere, env: {AWS_REGION: 'eu-west-1'}}, 'ECS', 'read').region).toBe('eu-west-1');
  });
});

test('what was made is kept, what could not be made is tried again', async () => {
  let tries = 0;
  const get = lazy(() => (++tries === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(tries)));
  await expect(get()).rejects.toThrow('not yet');
  expect(await get()).toBe(2);
  expect(await get()).toBe(2);
});

describe('a budget is told what its calls came to', () => {
  const error = (name: string, status: number) =>
    Object.assign(new Error('so it is'), {name, $metadata: {httpStatusCode: status}});
  const throttled = error('ThrottlingException', 400);
  const failed = error('InternalError', 500);
  const refused = error('ResourceNotFoundException', 400);

  /** `true`: held up. */
  async function toldBy(
    use: 'read' | 'write',
    ...outcomes: readonly (Error | {readonly $metadata: {readonly attempts: number}})[]
  ) {
    const told: boolean[] = [];
    const budget = {turn: () => Promise.resolve(), went: (heldUp: boolean) => void told.push(heldUp)};
    const session = createSession(options, {budgets: () => budget});
    const left = [...outcomes];
    const call = async () => {
      const outcome = left.shift();
      if (outcome === undefined || outcome instanceof Error) throw outcome ?? new Error('asked too often');
      return outcome;
    };
    const sent =
      use === 'read' ? session.read('sns:ListTopics', call) : session.write('sns:Publish', call, () => Promise.resolve());
    await sent.catch(() => undefined);
    return told;
  }

  test.each([
    ['answered at once', [{$metadata: {attempts: 1}}], [false]],
    ['answered after some tries', [{$metadata: {attempts: 3}}], [true]],
    ['throttled', [throttled], [true]],
    ['answered 500', [failed], [true]],
    ['refused: that is an answer', [refused], [false]],
  ] as const)('a look that is %s', async (_how, outcomes, told) => {
    expect(await toldBy('read', ...outcomes)).toEqual(told);
  });

  test.each([
    ['throttled, and done then', [throttled, {$metadata: {attempts: 1}}], [true, false]],
    ['lost', [failed], [true]],
    ['refused', [refused], [false]],
  ] as const)('a change that is %s', async (_how, outcomes, told) => {
    expect(await toldBy('write', ...outcomes)).toEqual(told);
  });
});
