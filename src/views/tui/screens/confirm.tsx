import type {Plan} from '../../../release/model.ts';
import type {Question} from '../../../release/events.ts';
import {truncateStart} from '../../text.ts';
import {confirmationOf} from '../keys/run.ts';
import {flagsOf, riskCounts} from '../lines/changes.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {glyphs} from '../text/glyphs.ts';
import {accent, blank, bold, cell, dim, gap, type Line, line, paragraph, span} from '../text/line.ts';
import {riskStyle, shortFingerprint} from '../text/words.ts';

type Approval = Extract<Question, {about: 'approval'}>;

/**
 *     Release pass 1.14.0 to production?
 *
 *       1 outage      service
 *       4 update      deposit-services, notification-services, grant-loader, journal-loader
 *       plan          b41f 77c2
 *
 *     Type production to release it:
 *     ▸ prod▏
 *       enter with "prod" declines the release and ends it
 */
export function ConfirmScreen({scene}: {readonly scene: Scene}) {
  const {model, width, height} = scene;
  const {plan, started} = model.run;
  const question = model.asks.find(ask => ask.about === 'approval');
  if (question === undefined || started === undefined) return null;
  const title = `Release ${started.application} ${started.version} to ${started.environment}?`;
  const typed = confirmationOf(model)?.typed ?? '';
  const field = fieldLines(question, typed, started.environment, width);
  const what = plan === undefined ? [] : planLines(plan, width);
  return (
    <Lines lines={[...paragraph(title, width, bold), blank, ...what.slice(0, height - field.length - 3), blank, ...field]} />
  );
}

const labelWidth = 16;

function planLines(plan: Plan, width: number): readonly Line[] {
  const counts = riskCounts(plan);
  const row = (label: string, style: Parameters<typeof span>[1], text: string): readonly Line[] =>
    paragraph(text, width, {}, [gap(2), cell(label, labelWidth, style)]);
  return [
    ...counts.flatMap(({risk, changes, components}) => row(`${changes} ${risk}`, riskStyle(risk), components.join(', '))),
    ...(counts.length === 0 ? row('nothing to do', dim, 'every component is as it should be') : []),
    ...flagsOf(plan).flatMap(([flag, components]) => row(flag, riskStyle(flag), components.join(', '))),
    ...row('plan', dim, `${shortFingerprint(plan.fingerprint)} ${glyphs.dot} valid while nothing changes`),
  ];
}

function fieldLines({expect}: Approval, typed: string, environment: string, width: number): readonly Line[] {
  const isYes = typed === expect;
  const shown = truncateStart(typed, Math.floor(width / 2));
  const meaning = isYes
    ? `enter releases to ${environment}`
    : `enter with ${typed === '' ? 'nothing typed' : `"${shown}"`} declines the release and ends it`;
  return [
    [span('Type '), span(expect, bold), span(' to release it:')],
    [span(`${glyphs.pointer} `, accent), span(truncateStart(typed, width - 4)), span(glyphs.caret, accent)],
    line(`  ${meaning}`, isYes ? {colour: 'green'} : {colour: 'yellow'}),
  ];
}
