/** Who is calling, and until when. */
import {type AwsOptions, clientConfig, lazy, read} from './session.ts';

export interface Identity {
  readonly account: string;
  readonly arn: string;
  /** When the credentials end; undefined when they do not say. */
  readonly expires: Date | undefined;
}

export interface Sts {
  /** Asked until there is an answer; every later call gets the same one. */
  identity(): Promise<Identity>;
  /** Asks again: somebody may have logged in as somebody else meanwhile. */
  identityNow(): Promise<Identity>;
}

export function createSts(options: AwsOptions): Sts {
  const identityNow = () =>
    read(options, 'sts:GetCallerIdentity', async () => {
      const {STSClient, GetCallerIdentityCommand} = await import('@aws-sdk/client-sts');
      const client = new STSClient(clientConfig(options, 'STS', 'read'));
      const {expiration} = await client.config.credentials();
      const {Account, Arn} = await client.send(new GetCallerIdentityCommand({}));
      return {account: Account ?? '', arn: Arn ?? '', expires: expiration};
    });
  return {identity: lazy(identityNow), identityNow};
}
