/** Examples for `--help`, by command; the empty name is the release itself. */
export const examples: Readonly<Record<string, readonly (readonly [line: string, does: string])[]>> = {
  '': [
    ['deploy-wizard', 'the wizard'],
    ['deploy-wizard --yes --env staging --release 1.14.0', 'the same without questions, for CI'],
    ['deploy-wizard plan --env production --release 1.14.0', 'what would change'],
    ['deploy-wizard plan -e production -r 1.14.0 --out plan.json', 'the same, as a file that somebody approves elsewhere'],
    ['deploy-wizard --yes --approve plan.json', 'goes on where that is still what would change'],
    ['deploy-wizard audit 1.14.0 --env production', 'is it there, and is it what was released?'],
    ['deploy-wizard demo', 'a whole release on this machine'],
  ],
  plan: [
    ['deploy-wizard plan --env production --release 1.14.0', 'what would change, and how risky it is'],
    ['deploy-wizard plan -e production --bump patch -c deposit-services', 'the next version of one component'],
    ['deploy-wizard plan -e production -r 1.14.0 --detailed-exitcode', 'exit 2 where something would change'],
  ],
  resume: [
    ['deploy-wizard resume --env production', 'goes on with what was interrupted, killed or detached'],
    ['deploy-wizard resume 2026-01-15T12-00-00Z-1.14.0 -e production', 'with this run'],
  ],
  rollback: [
    ['deploy-wizard rollback --env production --dry-run', 'what the way back would change'],
    ['deploy-wizard rollback --env production --to 1.13.2', 'back to this verified release'],
  ],
  audit: [
    ['deploy-wizard audit --env production', 'the newest release, against what is there now'],
    ['deploy-wizard audit 1.14.0 -e production --format markdown', 'for a ticket'],
  ],
  tick: [
    ['deploy-wizard tick acceptance --env staging', 'done, for the newest release there'],
    ['deploy-wizard tick acceptance -e staging --note "run 42" --link https://ci.example.edu/42', 'with evidence'],
  ],
  status: [
    ['deploy-wizard status', 'what runs where, as the records say'],
    ['deploy-wizard status --env production --live', 'and whether that is so'],
  ],
  log: [['deploy-wizard log --env production --number 5', 'the five newest runs']],
  adopt: [['deploy-wizard adopt --env production --reason "deployed by hand until today"', 'a baseline to go back to']],
  lock: [
    ['deploy-wizard lock --env production', 'who is at work there'],
    ['deploy-wizard lock acquire -e production --reason "migration until 17:00"', 'nobody else begins a release'],
    ['deploy-wizard lock release -e production --reason "migration is done"', 'everybody may again'],
  ],
  store: [['deploy-wizard store migrate --from ./records --to s3://releases/pass', 'copies every record, verified']],
  doctor: [
    ['deploy-wizard doctor', 'what would stand in the way of a release, and the fix for each'],
    ['deploy-wizard doctor --env production --iam', 'the IAM policy that this config needs there'],
  ],
  init: [
    ['deploy-wizard init', 'looks around, asks, and writes deploy-wizard.config.yaml'],
    ['deploy-wizard init --preset cookbook', 'from an example: Terraform, and an image that is built here'],
    ['AWS_PROFILE=staging deploy-wizard init --yes', 'the usual answers, with what is in that account'],
  ],
  completion: [
    ['source <(deploy-wizard completion bash)', 'for this shell; put it into ~/.bashrc'],
    ['source <(deploy-wizard completion zsh)', 'the same for zsh'],
    ['deploy-wizard completion fish > ~/.config/fish/completions/deploy-wizard.fish', ''],
  ],
  schema: [['deploy-wizard schema > deploy-wizard.schema.json', 'for an editor’s yaml-language-server']],
  demo: [
    ['deploy-wizard demo', 'the wizard, on an AWS endpoint of its own'],
    ['deploy-wizard demo --yes --speed 20 --scenario crash-loop', 'what a failure looks like'],
  ],
};

/** The examples of a command as help shows them; empty where it has none. */
export function exampleText(command: string): string {
  const lines = examples[command] ?? [];
  const width = Math.max(...lines.map(([line]) => line.length));
  return lines.length === 0
    ? ''
    : `\nExamples:\n${lines.map(([line, does]) => `  ${line.padEnd(width)}   ${does}`.trimEnd()).join('\n')}`;
}
