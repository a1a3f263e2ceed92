/** What is known of an environment: in its row, and in full below the list. */
import type {EnvironmentCard, GateNote, LockNote} from '../../../release/form.ts';
import {glyphs} from '../text/glyphs.ts';
import {accent, blank, bold, cell, dim, gap, type Line, paragraph, span, type Style} from '../text/line.ts';
import {ago, isBadOutcome} from '../text/words.ts';

const warning: Style = {colour: 'yellow'};
const bad: Style = {colour: 'red'};
const good: Style = {colour: 'green'};

/** The versions that run there, the most frequent first. */
export function versionsOf({
  runs = [],
}: EnvironmentCard): readonly {readonly version: string; readonly components: readonly string[]}[] {
  const by = Map.groupBy(runs, ({version, tried}) => version ?? (tried === undefined ? 'no version' : `in between (${tried})`));
  return [...by]
    .map(([version, all]) => ({version, components: all.map(({component}) => component)}))
    .toSorted((a, b) => b.components.length - a.components.length);
}

/** `1.14.0`, or `1.14.0 (5)` where another component runs another one. */
export function versionWord(card: EnvironmentCard): string {
  const [most, ...others] = versionsOf(card);
  if (most === undefined) return card.last?.version ?? '';
  return others.length === 0 ? most.version : `${most.version} (${most.components.length})`;
}

/** What a row says behind the version: what stands in the way first, then how the last release ended. */
export function remarks(card: EnvironmentCard, now: number): Line {
  return [
    ...(card.unreachable ? unreachableWords(card.unreachable) : []),
    ...(card.lock ? [span(lockWords(card.lock, now), warning)] : []),
    ...(card.unfinished === undefined ? [] : [span('interrupted, resume it', warning)]),
    ...mixed(card),
    ...lastRelease(card, now),
    ...(card.gates ?? []).map(gate => span(gateWords(gate, now), gate.open ? good : warning)),
  ].flatMap((part, index) => (index === 0 ? [part] : [gap(3), part]));
}

/** The command that mends it stands in the row; why it is needed, below. */
function unreachableWords({what, next = []}: NonNullable<EnvironmentCard['unreachable']>): Line {
  const [step] = next;
  return [
    span(`${glyphs.failed} ${step === undefined ? what : 'credentials'}`, bad),
    ...(step === undefined ? [] : [span(step)]),
  ];
}

function mixed(card: EnvironmentCard): Line {
  const [, ...others] = versionsOf(card);
  const rest = others.flatMap(({version, components}) => components.map(component => `${component} ${version}`));
  return rest.length === 0 ? [] : [span(`mixed: ${rest.join(', ')}`, warning)];
}

function lastRelease({last, unread, runs}: EnvironmentCard, now: number): Line {
  if (unread !== undefined) return [span(`${glyphs.warned} its records cannot be read`, warning)];
  if (last === undefined) return runs === undefined ? [span('no release on record', dim)] : [];
  const [glyph, style] = isBadOutcome(last.outcome) ? ([glyphs.failed, bad] as const) : ([glyphs.done, good] as const);
  return [span(`${glyph} ${last.outcome} ${[ago(last.at, now), `by ${last.by}`].filter(Boolean).join(' ')}`, style)];
}

function gateWords({env, version, open, since, found}: GateNote, now: number): string {
  if (version === undefined) return `${glyphs.open} ${env}: ${found ?? ''}`;
  const how = open ? `verified${since === undefined ? '' : ` ${ago(since, now)}`}` : 'not ready';
  return `${open ? glyphs.done : glyphs.open} ${env}: ${version} ${how}`;
}

function lockWords({is, who, since, work}: LockNote, now: number): string {
  if (is === 'unreadable') return 'locked by somebody';
  const when = since === undefined ? '' : ` ${ago(since, now)}`;
  return is === 'frozen'
    ? `frozen by ${who ?? ''}${when}`
    : `locked by ${who ?? ''}${when}${work === undefined ? '' : ` for ${work}`}`;
}

const labelWidth = 13;

/**
 *     production · 333333333333 us-east-1
 *     runs         1.13.2   pass-core, deposit-services, notification-services, grant-loader, journal-loader
 *                  1.13.1   nihms-loader
 *     gate         ✔ staging: 1.14.0 verified 2 h ago
 *     lock         frozen by jo on laptop 20 min ago: audit week
 *     credentials  ✖ there are no AWS credentials
 *                  chopaws --profile sandbox
 */
export function environmentDetails(card: EnvironmentCard, now: number, width: number): readonly Line[] {
  const row = (label: string, text: string, style: Style = {}): readonly Line[] =>
    paragraph(text, width, style, [cell(label, labelWidth, dim)]);
  const {lock, unfinished, identity, unreachable, gates = [], unread} = card;
  const place = [card.account, card.region].filter(Boolean).join(' ');
  return [
    [span(card.name, bold), ...(place === '' ? [] : [span(` ${glyphs.dot} ${place}`, dim)])],
    blank,
    ...(unreachable ? unreachableLines(unreachable, row) : identity === undefined ? [] : row('credentials', identity, dim)),
    ...versionsOf(card).flatMap(({version, components}, index) =>
      paragraph(components.join(', '), width, dim, [
        cell(index === 0 ? 'runs' : '', labelWidth, dim),
        span(version, index === 0 ? {} : warning),
        gap(3),
      ]),
    ),
    ...gates.flatMap((gate, index) => gateLines(gate, index === 0 ? 'gate' : '', now, row)),
    ...(lock ? row('lock', `${lockWords(lock, now)}${lock.reason === undefined ? '' : `: ${lock.reason}`}`, warning) : []),
    ...(unfinished === undefined
      ? []
      : [...row('unfinished', unfinished, warning), ...next(`deploy-wizard resume --env ${card.name}`, width)]),
    ...(unread === undefined ? [] : row('records', unread, warning)),
  ];
}

type Row = (label: string, text: string, style?: Style) => readonly Line[];

function unreachableLines({what, next: steps = []}: NonNullable<EnvironmentCard['unreachable']>, row: Row): readonly Line[] {
  return [...row('credentials', `${glyphs.failed} ${what}`, bad), ...steps.flatMap(step => row('', step))];
}

function gateLines(gate: GateNote, label: string, now: number, row: Row): readonly Line[] {
  const words = row(label, gateWords(gate, now), gate.open ? good : warning);
  return gate.found === undefined || gate.version === undefined ? words : [...words, ...row('', gate.found, dim)];
}

function next(command: string, width: number): readonly Line[] {
  return paragraph(command, width, {}, [gap(labelWidth), span('next: ', accent)]);
}
