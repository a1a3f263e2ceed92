/** Who is calling, and until when. */
import {clientConfig} from './clients.ts';
import {type Session, lazy} from './session.ts';

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

export function createSts(session: Session): Sts {
  const identityNow = async () => {
    const {Account, Arn, expiration} = await session.read('sts:GetCallerIdentity', async () => {
      const {STSClient, GetCallerIdentityCommand} = await import('@aws-sdk/client-sts');
      const client = new STSClient(clientConfig(session.options, 'STS', 'read'));
      const credentials = await client.config.credentials();
      return {...(await client.send(new GetCallerIdentityCommand({}))), expiration: credentials.expiration};
    });
    return {account: Account ?? '', arn: Arn ?? '', expires: expiration};
  };
  return {identity: lazy(identityNow), identityNow};
}
