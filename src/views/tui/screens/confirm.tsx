import type {EventOf, Question} from '../../../release/events.ts';
import {truncateStart} from '../../text.ts';
import {fieldLine} from '../lines/fields.ts';
import {confirmTitle, scrollableOf, topOf} from '../lines/panes.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {approvalAsked, confirmationOf} from '../state/drafts.ts';
import {blank, bold, type Line, line, scrolled, span} from '../text/line.ts';

type Approval = Extract<Question, {about: 'approval'}>;

/**
 *     Release pass 1.14.0 to production?
 *
 *       1 outage      service: aws_instance.default is destroyed, then created
 *       4 update      deposit-services, notification-services, grant-loader, journal-loader
 *       where         production 333333333333 us-east-1
 *       by            release-manager
 *       if one fails  you are asked; with --yes it is left as it is (onFailure: leave)
 *       way back      deposit-services to 1.13.2; service to 0.7.1, when somebody says so
 *       plan          b41f 77c2 · valid while nothing changes
 *       policy        --yes may approve update, trigger here; in CI this takes --yes --allow outage:service
 *
 *     Type production to release it:
 *     ▸ prod▏
 *       enter with "prod" declines the release and ends it
 */
export function ConfirmScreen({scene}: {readonly scene: Scene}) {
  const {model, width} = scene;
  const {started} = model.run;
  const question = approvalAsked(model);
  if (question === undefined || started === undefined) return null;
  const rows = scrollableOf(scene);
  return (
    <Lines
      width={width}
      lines={[
        ...confirmTitle(scene),
        blank,
        ...scrolled(rows.lines, topOf(model, rows), rows.height),
        blank,
        ...fieldLines(question, confirmationOf(model), started, width),
      ]}
    />
  );
}

/** The field, and what `enter` would mean with what stands in it. */
function fieldLines(
  {expect}: Approval,
  typed: string,
  {environment, kind}: EventOf<'run.started'>,
  width: number,
): readonly Line[] {
  const isYes = typed === expect;
  const back = kind === 'rollback';
  const shown = truncateStart(typed, Math.floor(width / 3));
  const meaning = isYes
    ? `enter ${back ? 'takes back what is in' : 'releases to'} ${environment}`
    : `enter with ${typed === '' ? 'nothing typed' : `"${shown}"`} declines the ${back ? 'way back' : 'release'} and ends it`;
  return [
    [span('Type '), span(expect, bold), span(back ? ' to take it back:' : ' to release it:')],
    fieldLine(typed, width),
    line(`  ${meaning}`, isYes ? {colour: 'green'} : {colour: 'yellow'}),
  ];
}
