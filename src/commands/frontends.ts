/** Which view, decided once at the start (design section 4): TUI, lines with prompts, or nobody to ask. */
import type {Frontend, Running} from '../views/frontend.ts';
import type {Command, Operator} from '../release/contract.ts';
import {RefusedError, StoppedError, UsageError} from '../release/errors.ts';
import {type FormAnswers, type Survey, chosen, startForm} from '../release/form.ts';
import type {Allowance} from '../release/policy.ts';
import {type Approved, type Unattended, unattended} from '../release/unattended.ts';
import {inCi, requireSomebody} from './attended.ts';
import type {Context} from './context.ts';
import {type TextOutput, jsonOutput, lineOutput} from './text-output.ts';

export const outputs = ['auto', 'tui', 'lines', 'json'] as const;
export type Output = (typeof outputs)[number];

export interface ViewOptions {
  readonly output: Output;
  /** False for `--no-tui`. */
  readonly tui: boolean;
  readonly yes: boolean;
  readonly dryRun: boolean;
  /** The config file, for whoever points into it. */
  readonly config: string;
  /** The plan that was approved elsewhere: the only one that goes on. */
  readonly approved?: Approved | undefined;
}

/** The TUI needs a person at both ends of a terminal that can draw. */
export function canDraw(context: Context): boolean {
  const {stdin, stdout, env} = context;
  return stdin.isTTY && stdout.isTTY && env['TERM'] !== 'dumb' && env['DEPLOY_WIZARD_TUI'] !== '0' && !inCi(context);
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
      throw new UsageError('--output tui needs a terminal', {code: 'DW218', next: ['Use --output lines, or --yes.']});
    const {startTui} = await import('../views/tui/index.tsx');
    const {stdin, stdout, env, clock, suspend, onWindowChange} = context;
    return startTui({stdin, stdout, env, clock, suspend, onWindowChange});
  }
  // Whoever asks for questions on plain lines says that the answers come.
  if (!options.yes && !options.dryRun && options.tui)
    requireSomebody(
      context,
      'Nothing was started.',
      'Give --yes: it approves what policy and --allow let through, and asks nothing.',
    );
  const text = {planOnly: options.dryRun, config: options.config};
  const output = await (options.output === 'json' ? jsonOutput(context, text) : lineOutput(context, text));
  return options.yes || options.dryRun
    ? unattendedFrontend(output, () => unattended(allowances(), options.approved))
    : promptFrontend(context, output);
}

const nothing = () => undefined;

function unattendedFrontend(output: TextOutput, make: () => Unattended): Frontend {
  let nobody: Unattended | undefined;
  // The environment's policy is known once the form is answered.
  const get = () => (nobody ??= make());
  return {
    choose: (flags, survey) => Promise.resolve(chosen(startForm(answered(flags, survey)))),
    operator: {ask: (question, signal) => get().operator.ask(question, signal)},
    askLogin: () => Promise.resolve(undefined),
    onCommand: nothing,
    show: (event, past) => {
      get().show(event);
      output.show(event, past);
    },
    watchLogs: nothing,
    notice: output.notice,
    close: async () => output.close(),
  };
}

/** `--yes` assumes nothing that was not said: a missing answer is refused with the name of its flag. */
function answered(flags: FormAnswers, survey: Survey): FormAnswers {
  if (flags.environment === undefined || flags.version === undefined) throw missingAnswer(flags, survey);
  return flags;
}

function missingAnswer({environment, version}: FormAnswers, {environments}: Survey): RefusedError {
  const flag =
    environment === undefined
      ? '--env <name>'
      : version === undefined
        ? '--release <version> or --bump <part>'
        : '--component <id>';
  return new RefusedError(`an answer is missing: give ${flag}`, {
    code: 'DW301',
    means: 'Nothing was started.',
    ...(environment === undefined && {next: [`There are: ${environments.map(({name}) => name).join(', ')}`]}),
  });
}

function promptFrontend(context: Context, output: TextOutput): Frontend {
  const terminal = {input: context.stdin, output: context.stderr};
  let command: ((command: Command) => void) | undefined;
  // Several questions may be open at once; a terminal has room for one.
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = async <T>(prompt: () => Promise<T>): Promise<T> => {
    const turn = last.then(prompt).catch((error: unknown) => {
      // While a prompt has the terminal, Ctrl-C comes as its error and as no signal.
      if (error instanceof StoppedError) command?.({do: 'stop', by: 'SIGINT'});
      throw error;
    });
    last = turn.catch(nothing);
    return turn;
  };
  const ask: Operator['ask'] = async (question, signal) => {
    const {askByPrompt} = await import('../views/prompts.ts');
    return inTurn(() => askByPrompt(question, signal, terminal));
  };
  return {
    choose: async (flags: FormAnswers, survey: Survey) => {
      const {chooseByPrompts} = await import('../views/prompts.ts');
      const choice = await chooseByPrompts(flags, survey, terminal);
      // The end of a pipe is nobody's decision: what is missing is named.
      if (choice === undefined && !context.stdin.isTTY) throw missingAnswer(flags, survey);
      return choice;
    },
    operator: {ask},
    askLogin: async (host, signal) => {
      const {askLoginByPrompt} = await import('../views/prompts.ts');
      return inTurn(() => askLoginByPrompt(host, signal, terminal));
    },
    ...(context.stdin.isTTY && {
      askToStop: async (now: () => Running, signal: AbortSignal) => {
        const {askToStop} = await import('../views/prompts.ts');
        return inTurn(() => askToStop(now(), signal, terminal));
      },
    }),
    onCommand: listener => {
      command = listener;
    },
    show: output.show,
    watchLogs: nothing,
    notice: output.notice,
    close: async () => output.close(),
  };
}
