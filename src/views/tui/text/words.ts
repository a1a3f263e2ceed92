/** The words and colours that several screens share. */
import type {Flag, Outcome, Phase, Risk} from '../../../release/words.ts';
import type {Style} from './line.ts';

const kinds: Readonly<Record<string, string>> = {
  terraform: 'Terraform',
  'ecs-service': 'ECS service',
  'ecs-scheduled-task': 'scheduled task',
  'batch-job-definition': 'Batch job',
  'sns-trigger': 'SNS trigger',
};

/** A component's kind as people say it. */
export function kindWord(kind: string): string {
  return kinds[kind] ?? kind;
}

interface PhaseWords {
  readonly running: string;
  readonly done: string;
}

const phaseWords: Readonly<Record<Phase, PhaseWords>> = {
  preflight: {running: 'checking', done: 'checked'},
  bump: {running: 'bumping', done: 'bumped'},
  build: {running: 'building', done: 'built'},
  push: {running: 'pushing', done: 'pushed'},
  plan: {running: 'planning', done: 'planned'},
  confirm: {running: 'confirming', done: 'confirmed'},
  apply: {running: 'applying', done: 'applied'},
  verify: {running: 'verifying', done: 'verified'},
};

export function phaseWord(phase: Phase, is: keyof PhaseWords): string {
  return phaseWords[phase][is];
}

const riskStyles: Readonly<Record<Risk | Flag, Style>> = {
  none: {dim: true},
  create: {colour: 'green'},
  update: {colour: 'green'},
  trigger: {colour: 'yellow'},
  replace: {colour: 'yellow'},
  outage: {colour: 'red', bold: true},
  forget: {colour: 'red', bold: true},
  destroy: {colour: 'red', bold: true},
  downgrade: {colour: 'yellow', bold: true},
  'overwrite-tag': {colour: 'yellow', bold: true},
  republish: {colour: 'yellow', bold: true},
  unlisted: {colour: 'yellow', bold: true},
};

export function riskStyle(risk: Risk | Flag): Style {
  return riskStyles[risk];
}

const badOutcomes: ReadonlySet<string> = new Set<Outcome>([
  'failed',
  'rolled back',
  'superseded',
  'stopped',
  'interrupted',
  'unknown',
]);

/** Whether somebody has to look at it. Takes any text: records of later versions may hold other outcomes. */
export function isBadOutcome(outcome: string): boolean {
  return badOutcomes.has(outcome);
}

const readOutcomes: ReadonlySet<Outcome> = new Set(['failed', 'rolled back', 'superseded', 'stopped', 'unknown']);

/** Whether the end waits until somebody has read it. Who refused or stopped it knows already. */
export function needsReading(outcome: Outcome | undefined): boolean {
  return outcome !== undefined && readOutcomes.has(outcome);
}

/** `1 change`, `3 changes`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** A duration as a clock shows it: `01:24`, `1:02:03`. */
export function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const rest = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return hours > 0 ? `${hours}:${rest}` : rest;
}

/** How long ago, in the largest unit that fits: `3 h ago`. Empty for a time that cannot be read. */
export function ago(at: string, now: number): string {
  const minutes = Math.floor((now - Date.parse(at)) / 60_000);
  if (Number.isNaN(minutes)) return '';
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return `${Math.floor(minutes / (24 * 60))} d ago`;
}

/** The first eight digits of a fingerprint, in fours, as somebody would compare them by eye: `b41f 77c2`. */
export function shortFingerprint(fingerprint: string): string {
  return `${fingerprint.slice(0, 4)} ${fingerprint.slice(4, 8)}`;
}
