/** A git that failed, with what to do about it where its words are known. */
import {DeployError} from '../../release/errors.ts';
import {CommandError, type ExecResult} from '../exec.ts';

export function failure(args: readonly string[], result: ExecResult): DeployError {
  const error = new CommandError('git', args, result);
  const known = problems.find(({said}) => said.test(result.stderr));
  return known ? new DeployError(error.message, {next: known.next, cause: error}) : error;
}

const problems: readonly {said: RegExp; next: readonly string[]}[] = [
  {
    said: /detected dubious ownership/,
    next: ['The repository belongs to another user. If you trust it: `git config --global --add safe.directory <its path>`'],
  },
  {said: /index\.lock': File exists/, next: ['Another git process is at work there. When none is, remove the lock file.']},
  {
    said: /Please tell me who you are|unable to auto-detect email address|empty ident name/,
    next: ['Tell git who you are: `git config --global user.name "…"` and `git config --global user.email "…"`'],
  },
  {
    said: /\[rejected\] \(already exists\)/,
    next: [
      'The remote has a tag of that name already, at another commit: look at it (`git ls-remote --tags`), then push by hand.',
    ],
  },
  {
    said: /\[rejected\]|non-fast-forward|fetch first/,
    next: ['The remote has commits that this repository has not: `git pull`, then push by hand: `git push`'],
  },
  {
    said: /\[remote rejected\]|pre-receive hook declined|protected branch/,
    next: ['The remote takes no such push from you: ask for the permission, or set `source.git.push: false` in the config file.'],
  },
  {
    said: /Authentication failed|could not read (?:Username|Password)|terminal prompts disabled|Permission denied|Host key verification/,
    next: [
      'Git has no credentials for the remote that it can use without asking: set up a credential helper, an agent or a token.',
    ],
  },
  {
    said: /Could not resolve host|unable to access|Could not read from remote|does not appear to be a git repository/,
    next: ['Check the address of the remote (`git remote -v`) and the network.'],
  },
  {
    said: /cannot do a partial commit during a/,
    next: ['Finish the merge, cherry-pick or rebase that is under way, or abort it.'],
  },
  {
    said: /failed to sign the data|gpg failed|error: Load key/,
    next: ['Check the signing key: `git config --get user.signingKey`, and its agent.'],
  },
];
