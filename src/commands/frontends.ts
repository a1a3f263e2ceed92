/** Which view, decided once at the start (design section 4): TUI, lines with prompts, or nobody to ask. */
import type {Frontend} from '../views/frontend.ts';
import type {Command, Operator} from '../release/contract.ts';
import {RefusedError, StoppedError, UsageError} from '../release/errors.ts';
import {type FormAnswers, type Survey, chosen, startForm} from '../release/form.ts';
import type {Allowance} from '../release/policy.ts';
import {unattended} from '../release/unattended.ts';
import type {TimedEvent} from '../release/events.ts';
import type {Context} from './context.ts';

export const outputs = ['auto', 'tui', 'lines', 'json'] as const;
export type Output = (typeof outputs)[number];

export interface ViewOptions {
  readonly output: Output;
  /** False for `--no-tui`. */
  readonly tui: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
}

/** The TUI needs a person at both ends of a terminal that can draw. */
export function canDraw({stdin, stdout, env}: Context): boolean {
  const ci = env['CI'] ?? env['CONTINUOUS_INTEGRATION'];
  const inCi = ci !== undefined && ci !== '' && ci !== '0' && ci !== 'false';
  return stdin.isTTY && stdout.isTTY && env['TERM'] !== 'dumb' && env['DEPLOY_WIZARD_TUI'] !== '0' && !inCi;
}

export async function chooseFrontend(
  context: Context,
  options: ViewOptions,
  allowances: () => readonly Allowance[],
): Promise<Frontend> {
  const wantsTui =
    options.output === 'tui' || (options.output === 'auto' && options.tui && !options.yes && !options.dryRun && canDraw(context));
  if (wantsTui) {
    if (options.yes) throw new UsageError('--output tui asks questions, --yes answers them: give one of the two');
    if (!context.stdin.isTTY || !context.stdout.isTTY)
      throw new UsageError('--output tui needs a terminal', {next: ['Use --output lines, or --yes.']});
    const {startTui} = await import('../views/tui/index.tsx');
    return startTui({stdin: context.stdin, stdout: context.stdout, env: context.env, clock: context.clock});
  }
  const show = await textView(context, options);
  return options.yes || options.dryRun ? unattendedFrontend(context, show, allowances) : promptFrontend(context, show);
}

/** Events as lines on stderr, or as NDJSON on stdout. */
async function textView(context: Context, {output, dryRun}: ViewOptions): Promise<(event: TimedEvent) => void> {
  if (output === 'json') {
    const {ndjsonLine} = await import('../views/ndjson.ts');
    return event => void context.stdout.write(`${ndjsonLine(event)}\n`);
  }
  const {linesView} = await import('../views/lines.ts');
  const lines = linesView(context.env, dryRun);
  return event => lines(event).forEach(line => context.stderr.write(`${line}\n`));
}

const nothing = () => undefined;

function unattendedFrontend(
  context: Context,
  show: (event: TimedEvent) => void,
  allowances: () => readonly Allowance[],
): Frontend {
  let nobody: ReturnType<typeof unattended> | undefined;
  // The environment's policy is known once the form is answered.
  const get = () => (nobody ??= unattended(allowances()));
  return {
    choose: flags => Promise.resolve(chosen(startForm(answered(flags)))),
    operator: {ask: (question, signal) => get().operator.ask(question, signal)},
    onCommand: nothing,
    show: event => {
      get().show(event);
      show(event);
    },
    watchLogs: nothing,
    notice: text => context.stderr.write(`${text}\n`),
    close: () => Promise.resolve(),
  };
}

/** `--yes` assumes nothing that was not said: a missing answer is refused with the name of its flag. */
function answered(flags: FormAnswers): FormAnswers {
  if (flags.environment === undefined || flags.version === undefined) throw missingAnswer(flags);
  return flags;
}

function missingAnswer({environment, version}: FormAnswers): RefusedError {
  const flag =
    environment === undefined
      ? '--env <name>'
      : version === undefined
        ? '--release <version> or --bump <part>'
        : '--component <id>';
  return new RefusedError(`an answer is missing: give ${flag}`, {means: 'Nothing was started.'});
}

function promptFrontend(context: Context, show: (event: TimedEvent) => void): Frontend {
  const terminal = {input: context.stdin, output: context.stderr};
  let command: ((command: Command) => void) | undefined;
  // Several questions may be open at once; a terminal has room for one.
  let last: Promise<unknown> = Promise.resolve();
  const ask: Operator['ask'] = async (question, signal) => {
    const {askByPrompt} = await import('../views/prompts.ts');
    const turn = last
      .then(() => askByPrompt(question, signal, terminal))
      .catch((error: unknown) => {
        // While a prompt has the terminal, Ctrl-C comes as its error and as no signal.
        if (error instanceof StoppedError) command?.({do: 'stop', by: 'SIGINT'});
        throw error;
      });
    last = turn.catch(nothing);
    return turn;
  };
  return {
    choose: async (flags: FormAnswers, survey: Survey) => {
      const {chooseByPrompts} = await import('../views/prompts.ts');
      const choice = await chooseByPrompts(flags, survey, terminal);
      // The end of a pipe is nobody's decision: what is missing is named.
      if (choice === undefined && !context.stdin.isTTY) throw missingAnswer(flags);
      return choice;
    },
    operator: {ask},
    onCommand: listener => {
      command = listener;
    },
    show,
    watchLogs: nothing,
    notice: text => context.stderr.write(`${text}\n`),
    close: () => Promise.resolve(),
  };
}
