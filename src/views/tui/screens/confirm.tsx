import type {EventOf, Question} from '../../../release/events.ts';
import {grave, type Plan} from '../../../release/model.ts';
import {truncateStart} from '../../text.ts';
import {confirmationOf} from '../keys/run.ts';
import {flagsOf, riskCounts} from '../lines/changes.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import type {Form} from '../state/form.ts';
import {glyphs} from '../text/glyphs.ts';
import {accent, blank, bold, cell, dim, gap, type Line, line, paragraph, span, type Style} from '../text/line.ts';
import {riskStyle, shortFingerprint} from '../text/words.ts';

type Approval = Extract<Question, {about: 'approval'}>;

/**
 *     Release pass 1.14.0 to production?
 *
 *       1 outage      service: aws_instance.default is destroyed, then created
 *       4 update      deposit-services, notification-services, grant-loader, journal-loader
 *       where         production 333333333333 us-east-1, as release-manager via chopaws
 *       plan          b41f 77c2 · valid while nothing changes
 *
 *     Type production to release it:
 *     ▸ prod▏
 *       enter with "prod" declines the release and ends it
 */
export function ConfirmScreen({scene}: {readonly scene: Scene}) {
  const {model, width, height} = scene;
  const {plan, started} = model.run;
  const question = model.asks.find(ask => ask.about === 'approval');
  if (question === undefined || started === undefined || plan === undefined) return null;
  const title = paragraph(`Release ${started.application} ${started.version} to ${started.environment}?`, width, bold);
  const field = fieldLines(question, confirmationOf(model)?.typed ?? '', started.environment, width);
  const known = [
    ...row('where', dim, placeOf(started, model.form), width),
    ...row('plan', dim, `${shortFingerprint(plan.fingerprint)} ${glyphs.dot} valid while nothing changes`, width),
  ];
  const room = height - title.length - field.length - 2;
  return (
    <Lines width={width} lines={[...title, blank, ...shortened([...changeRows(plan, width), ...known], room), blank, ...field]} />
  );
}

function row(label: string, style: Style, text: string, width: number): readonly Line[] {
  return paragraph(text, width, {}, [gap(2), cell(label, 16, style)]);
}

/** What will be done, worst first. What is grave is said in full, not counted. */
function changeRows(plan: Plan, width: number): readonly Line[] {
  const counts = riskCounts(plan);
  if (counts.length === 0) return row('nothing to do', dim, 'every component is as it should be', width);
  const rows = counts.flatMap(({risk, changes, components}) => {
    const graveOnes = plan.components.flatMap(({component, changes}) =>
      changes.filter(change => change.risk === risk).map(({summary}) => `${component}: ${summary}`),
    );
    const texts = grave.has(risk) ? graveOnes : [components.join(', ')];
    return texts.flatMap((text, index) => row(index === 0 ? `${changes} ${risk}` : '', riskStyle(risk), text, width));
  });
  const flags = flagsOf(plan).flatMap(([flag, components]) => row(flag, riskStyle(flag), components.join(', '), width));
  return [...rows, ...flags];
}

function shortened(rows: readonly Line[], room: number): readonly Line[] {
  if (rows.length <= room) return rows;
  const shown = Math.max(0, room - 1);
  return [...rows.slice(0, shown), line(`  ${glyphs.down} ${rows.length - shown} more`, {colour: 'yellow'})];
}

function placeOf({environment, by}: EventOf<'run.started'>, form: Form | undefined): string {
  const card = form?.environments.find(({name}) => name === environment);
  const place = [environment, card?.account, card?.region].filter(Boolean).join(' ');
  return `${place}, as ${by.identity ?? `${by.user}@${by.host}`}`;
}

/** The field, and what `enter` would mean with what stands in it. */
function fieldLines({expect}: Approval, typed: string, environment: string, width: number): readonly Line[] {
  const isYes = typed === expect;
  const shown = truncateStart(typed, Math.floor(width / 3));
  const meaning = isYes
    ? `enter releases to ${environment}`
    : `enter with ${typed === '' ? 'nothing typed' : `"${shown}"`} declines the release and ends it`;
  return [
    [span('Type '), span(expect, bold), span(' to release it:')],
    [span(`${glyphs.pointer} `, accent), span(truncateStart(typed, width - 4)), span(glyphs.caret, accent)],
    line(`  ${meaning}`, isYes ? {colour: 'green'} : {colour: 'yellow'}),
  ];
}
