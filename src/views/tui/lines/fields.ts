/** Fields below a screen: a reason, a login, the words for a second interrupt, what is looked for. */
import {truncateStart} from '../../text.ts';
import {reasonAsked, reasonOf} from '../state/drafts.ts';
import type {Login, LoginField} from '../state/login.ts';
import type {Model} from '../state/model.ts';
import {componentName} from '../state/rows.ts';
import {secondInterrupt} from '../state/stopping.ts';
import {glyphs} from '../text/glyphs.ts';
import {accent, bold, cell, dim, gap, type Line, paragraph, span} from '../text/line.ts';

const mark: Line = [span(`${glyphs.asked} `, {colour: 'yellow', bold: true})];

/** `▸ text▏`: the end of it, where it is longer than the line. */
export function fieldLine(text: string, width: number): Line {
  return [span(`${glyphs.pointer} `, accent), span(truncateStart(text, width - 4)), span(glyphs.caret, accent)];
}

/**
 *     ? Why is deposit-services let through? The reason stays in the record and in every audit.
 *     ▸ the probe is behind a new login▏
 */
export function reasonLines(model: Model, width: number): readonly Line[] {
  const question = reasonAsked(model);
  if (question === undefined) return [];
  const who = componentName(question.job.component);
  const title = `Why is ${who} let through? The reason stays in the record and in every audit.`;
  return [...paragraph(title, width, bold, mark), fieldLine(reasonOf(model), width)];
}

/**
 *     ? Interrupt it a second time? Terraform exits at once: what it is making just then may be half done …
 *       Type: the state stays locked
 *     ▸ the state▏
 */
export function interruptLines({forcing = '', run}: Model, width: number): readonly Line[] {
  const interrupt = secondInterrupt(run);
  if (interrupt === undefined) return paragraph('Nothing that runs would hear it any more.', width, bold, mark);
  return [
    ...paragraph(`Interrupt it a second time? ${interrupt.costs}`, width, bold, mark),
    [gap(2), span('Type: '), span(interrupt.force, bold)],
    fieldLine(forcing, width),
  ];
}

const loginLabels: Readonly<Record<LoginField, string>> = {username: 'user', password: 'password'};

/**
 *     ? registry.example.edu asks who you are. What you type goes to it, and nowhere else.
 *     ▸ user       jo▏
 *       password   typed, not shown
 */
export function loginLines(login: Login, width: number): readonly Line[] {
  const title = `${login.host} asks who you are. What you type goes there, and nowhere else.`;
  const row = (field: LoginField, shown: string): Line => {
    const isHere = login.at === field;
    return [
      span(isHere ? `${glyphs.pointer} ` : '  ', accent),
      cell(loginLabels[field], 11, isHere ? {} : dim),
      span(shown, field === 'password' ? dim : {}),
      ...(isHere ? [span(glyphs.caret, accent)] : []),
    ];
  };
  return [
    ...paragraph(title, width, bold, mark),
    row('username', truncateStart(login.username, width - 16)),
    row('password', login.password === '' ? '' : 'typed, not shown '),
  ];
}

/** `/image▏` */
export function searchLines(text: string, width: number): readonly Line[] {
  return [[span('/', accent), span(truncateStart(text, width - 3)), span(glyphs.caret, accent)]];
}
