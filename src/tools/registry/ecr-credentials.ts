/** Credentials for ECR: a token from AWS, which lives for twelve hours, and not what `docker login` has put aside the day before. */
import type {EcrToken} from '../aws/ecr.ts';
import type {CredentialsFor} from './docker-credentials.ts';

/** `111122223333.dkr.ecr.us-east-1.amazonaws.com`, its FIPS and dual-stack forms, and China's. */
const ecrHost = /^\d{12}\.dkr[.-]ecr(?:-fips)?\.(?<region>[a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)$/;

/** The region of an ECR registry's host; undefined for any other registry. */
export function ecrRegion(registry: string): string | undefined {
  return ecrHost.exec(registry)?.groups?.['region'];
}

type Token = Omit<EcrToken, 'registry'>;

/** A token this close to its end is not begun with: a push may take a while. */
const marginMs = 15 * 60_000;

/**
 * Tokens for ECR, one a registry, used until shortly before their end or until they are refused; for any other registry, and where AWS
 * gives none, what docker has. Throws what AWS says where docker has none either.
 */
export function withEcrTokens(options: {
  readonly token: (region: string) => Promise<Token>;
  readonly docker: CredentialsFor;
  readonly now: () => number;
  /** Hears of every password before it is used. */
  readonly learnSecret: (secret: string) => void;
}): CredentialsFor {
  const tokens = new Map<string, Token>();
  return async (registry, anew) => {
    const region = ecrRegion(registry);
    if (region === undefined) return options.docker(registry, anew);
    try {
      let token = tokens.get(registry);
      if (anew !== undefined || token === undefined || token.endsAt - options.now() < marginMs) {
        token = await options.token(region);
        options.learnSecret(token.password);
        tokens.set(registry, token);
      }
      return {username: token.username, password: token.password, aside: true};
    } catch (error) {
      const docker = await options.docker(registry, anew);
      if (docker === undefined) throw error;
      return docker;
    }
  };
}
