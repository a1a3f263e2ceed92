import {DeployError} from '../../release/errors.ts';

/** A registry wants credentials, or other ones. */
export class LoginError extends DeployError {
  static override readonly usual = 'DW161';
  /** As in an image name: `docker.io`, `127.0.0.1:5000`. */
  readonly registry: string;

  constructor(registry: string, what: string, cause?: unknown) {
    const login = registry === 'docker.io' ? 'docker login' : `docker login ${registry}`;
    super(what, {
      cause,
      means: 'There are no credentials for it, they have expired, they may not do this, or there is no such repository.',
      next: [`Log in: \`${login}\``],
    });
    this.registry = registry;
  }
}
