import type {Check} from '../../../release/model.ts';
import type {Moment} from '../scene.ts';
import {accent, dim, gap, type Line, paragraph, span} from '../text/line.ts';
import {downtimeLines} from './downtime.ts';
import {checkMark} from './states.ts';

/** `every task runs the released image: 1 of 2 does` */
export function checkWords({text, found}: Check): string {
  return found === '' ? text : `${text}: ${found}`;
}

/** The checks of one job, under its row: what is true, what is still waited for, what is not. */
export function jobChecks(checks: readonly Check[], width: number, moment: Moment): readonly Line[] {
  return checks.flatMap(check => {
    const style = check.status === 'failed' ? ({colour: 'red'} as const) : {};
    return [
      ...paragraph(checkWords(check), width, style, [checkMark(check.status, moment)]),
      ...(check.downtime === undefined ? [] : downtimeLines(check.downtime, width - 2).map(row => [gap(2), ...row])),
      ...afterCheck(check, width, 2),
    ];
  });
}

function afterCheck({evidence, next}: Check, width: number, indent: number): readonly Line[] {
  return [
    ...(evidence ?? []).flatMap(row => paragraph(row, width, dim, [gap(indent)])),
    ...(next === undefined ? [] : paragraph(next, width, {}, [gap(indent), span('next: ', accent)])),
  ];
}
