/** The remotes of a repository: where a branch is pushed to, what is there, and pushing to it. */
import {LostAnswerError} from '../../release/errors.ts';
import {TimeoutError, type ExecResult} from '../exec.ts';
import {failure} from './errors.ts';

export interface Upstream {
  readonly remote: string;
  /** `refs/heads/main` */
  readonly reference: string;
}

export interface RemoteUpdate {
  /** An object of this repository. */
  readonly from: string;
  /** `refs/…` */
  readonly to: string;
}

export interface Remotes {
  /** Where a branch is pushed to, as `git push` would choose: its upstream, else a branch of its name at `origin`. Undefined without a remote. */
  upstream(root: string, branch: string): Promise<Upstream | undefined>;
  /** What references of a remote point to (a tag: its object); undefined for one that is not there. Throws DeployError when it cannot be asked. */
  remoteReferences(root: string, remote: string, references: readonly string[]): Promise<readonly (string | undefined)[]>;
  /**
   * Sets references of a remote, all or none where it can do that, and never by force. `rehearse`: only asks whether it would.
   * Throws DeployError when the remote has what we do not, or may not be written; LostAnswerError when nobody knows whether it happened.
   */
  push(root: string, remote: string, updates: readonly RemoteUpdate[], how?: 'rehearse'): Promise<void>;
}

export function createRemotes(git: {
  /** One git process that must succeed; its output. */
  readonly read: (root: string, args: readonly string[]) => Promise<string>;
  /** One git process that talks to a remote; any exit code. */
  readonly talk: (root: string, args: readonly string[]) => Promise<ExecResult>;
}): Remotes {
  const {read, talk} = git;
  return {
    async upstream(root, branch) {
      const format = '%(push:remotename)%00%(upstream:remotename)%00%(upstream:remoteref)';
      const [pushRemote = '', remote = '', reference = ''] = (
        await read(root, ['for-each-ref', `--format=${format}`, `refs/heads/${branch}`])
      ).split('\0');
      const remotes = (await read(root, ['remote'])).split('\n').filter(name => name !== '');
      const found = [pushRemote, remote, 'origin'].find(name => remotes.includes(name));
      if (found === undefined) return undefined;
      // Another remote than the one that is pulled from knows the branch by its own name.
      return {remote: found, reference: found === remote && reference !== '' ? reference : `refs/heads/${branch}`};
    },

    async remoteReferences(root, remote, references) {
      const args = ['ls-remote', '--refs', '--', remote, ...references];
      const result = await talk(root, args);
      if (result.exitCode !== 0) throw failure(args, result);
      const found = new Map(
        result.stdout
          .split('\n')
          .map(line => line.split('\t'))
          .map(([object = '', name = '']) => [name, object]),
      );
      return references.map(reference => found.get(reference));
    },

    async push(root, remote, updates, how) {
      const asked = updates.map(({from, to}) => `${from}:${to}`);
      const args = (atomic: boolean) => [
        'push',
        '--porcelain',
        ...(atomic ? ['--atomic'] : []),
        // A rehearsal is not what the hook waits for.
        ...(how === 'rehearse' ? ['--dry-run', '--no-verify'] : []),
        '--',
        remote,
        ...asked,
      ];
      const send = async (atomic: boolean): Promise<ExecResult> =>
        talk(root, args(atomic)).catch((error: unknown) => {
          if (!(error instanceof TimeoutError) || how === 'rehearse') throw error;
          throw new LostAnswerError(error.message, {means: 'It may or may not have happened.', cause: error});
        });
      let result = await send(true);
      if (result.exitCode !== 0 && /does not support --atomic/.test(result.stderr)) result = await send(false);
      if (result.exitCode === 0) return;
      const said = `${result.stdout}${result.stderr}`;
      // Its answer never came: the connection broke after it was sent. (A refusal breaks it off too, and says so.)
      const broken = /the remote end hung up unexpectedly|unexpected disconnect|early EOF/.test(said);
      if (how !== 'rehearse' && broken && !/rejected\]/.test(said)) {
        throw new LostAnswerError(failure(args(true), result).message, {means: 'It may or may not have happened.'});
      }
      throw failure(args(true), {...result, stderr: said});
    },
  };
}
