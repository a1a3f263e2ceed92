/** Events on their way to plain streams: lines on stderr, with a heartbeat, or NDJSON on stdout. */
import type {TimedEvent} from '../release/events.ts';
import type {Context} from './context.ts';

export interface TextOutput {
  show(event: TimedEvent, past?: boolean): void;
  notice(text: string): void;
  close(): void;
}

export interface TextOptions {
  /** `plan` and `--dry-run`. */
  readonly planOnly: boolean;
  /** The config file, for annotations. */
  readonly config: string;
}

/** How long nothing is said before a heartbeat says what is at work, in milliseconds. */
const silence = 30_000;

export async function lineOutput(context: Context, {planOnly, config}: TextOptions): Promise<TextOutput> {
  const {env, clock, stderr} = context;
  const {lineView} = await import('../views/line-view.ts');
  const {sectionsOf} = await import('../views/sections.ts');
  const view = lineView({env, planOnly, sections: sectionsOf(env), annotate: await annotatorFor(context, config)});
  const closed = new AbortController();
  let saidAt: number | undefined;

  const write = (lines: readonly string[]): void => {
    if (lines.length === 0) return;
    // In one piece: what belongs together is never parted by another job's lines.
    stderr.write(`${lines.join('\n')}\n`);
    if (saidAt === undefined) void beat().catch(() => undefined);
    saidAt = clock.now();
  };
  /** Until closed, which rejects it. */
  const beat = async (): Promise<never> => {
    for (;;) {
      await clock.sleep(Math.max(1000, (saidAt ?? clock.now()) + silence - clock.now()), closed.signal);
      if (clock.now() - (saidAt ?? 0) >= silence) write(view.beat(clock.now()));
    }
  };
  return {
    show: (event, past) => write(view.show(event, past)),
    notice: text => write(view.notice(text, clock.now())),
    close: () => {
      if (closed.signal.aborted) return;
      closed.abort();
      write(view.end(clock.now()));
    },
  };
}

export async function jsonOutput(context: Context, {config}: TextOptions): Promise<TextOutput> {
  const {ndjsonLine} = await import('../views/ndjson.ts');
  const {linesFor} = await import('../views/words.ts');
  const annotate = await annotatorFor(context, config);
  return {
    show: (event, past = false) => {
      context.stdout.write(`${ndjsonLine(event)}\n`);
      if (event.type === 'job.failed' && annotate && !past) context.stderr.write(`${annotate(event.job, event.trouble)}\n`);
    },
    notice: text => void context.stderr.write(`${linesFor(context.env)(text).join('\n')}\n`),
    close: () => undefined,
  };
}

async function annotatorFor(context: Context, config: string) {
  const {onGitHub} = await import('../views/github.ts');
  if (!onGitHub(context.env)) return undefined;
  const {annotator} = await import('./github.ts');
  return annotator(context, config);
}
