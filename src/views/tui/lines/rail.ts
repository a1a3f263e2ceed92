import {isAsking} from '../state/form.ts';
import type {Model} from '../state/model.ts';
import {type Stage, stagesOf} from '../state/stages.ts';
import {glyphs} from '../text/glyphs.ts';
import {bold, cut, dim, gap, type Line, span, spread, type Style, widthOf} from '../text/line.ts';

const marks: Readonly<Record<Stage['is'], readonly [glyph: string, style: Style]>> = {
  done: [glyphs.done, {colour: 'green'}],
  here: [glyphs.here, {colour: 'cyan', bold: true}],
  open: [glyphs.open, dim],
  nothing: [glyphs.nothing, dim],
  failed: [glyphs.failed, {colour: 'red', bold: true}],
};

/**
 * Where the operator is: on top of every screen.
 *
 *     deploy-wizard  pass 1.14.0 → production                                  release-manager@ci
 *     ✔ preflight  ─ bump  ─ build  ─ push  ● plan  ○ confirm  ○ apply  ○ verify
 */
export function railLines(model: Model, width: number): readonly Line[] {
  const left = whatAndWhere(model);
  // Where it goes is never cut for who sends it there.
  const right = cut(status(model), width - widthOf(left) - 2);
  return [spread(left, right, width), stations(stagesOf(model), width)];
}

function whatAndWhere({form, run}: Model): Line {
  const application = run.started?.application ?? form?.application ?? '';
  const version = run.started?.version ?? form?.state.answers.version;
  const environment = run.started?.environment ?? form?.state.answers.environment;
  return [
    span('deploy-wizard  ', dim),
    span(application, bold),
    ...(version === undefined ? [] : [gap(1), span(version, {colour: 'cyan', bold: true})]),
    ...(environment === undefined ? [] : [span(` ${glyphs.arrow} `, dim), span(environment, bold)]),
  ];
}

function status({form, run, commanded}: Model): Line {
  if (run.finished === undefined && commanded === 'stop')
    return [span(`stopping${glyphs.ellipsis}`, {colour: 'yellow', bold: true})];
  if (run.finished === undefined && commanded === 'detach')
    return [span(`detaching${glyphs.ellipsis}`, {colour: 'yellow', bold: true})];
  if (run.started !== undefined) return [span(run.started.by.identity ?? `${run.started.by.user}@${run.started.by.host}`, dim)];
  if (!isAsking(form)) return [];
  const card = form.environments.find(({name}) => name === form.state.answers.environment);
  return [span([card?.account, card?.region].filter(Boolean).join(' '), dim)];
}

/** As many stations around the one that is on as there is room for; where some are left out stands an ellipsis. */
function stations(stages: readonly Stage[], width: number): Line {
  const isOn = stages.findIndex(stage => stage.is === 'here');
  const here = isOn >= 0 ? isOn : stages.findLastIndex(stage => stage.is === 'done' || stage.is === 'failed');
  let [from, to] = [0, stages.length];
  const draw = (): Line => [
    ...(from > 0 ? [span(`${glyphs.ellipsis} `, dim)] : []),
    ...stages.slice(from, to).flatMap(({name, is}, index) => {
      const [glyph, style] = marks[is];
      return [gap(index === 0 ? 0 : 2), span(`${glyph} ${name}`, style)];
    }),
    ...(to < stages.length ? [span(` ${glyphs.ellipsis}`, dim)] : []),
  ];
  while (widthOf(draw()) > width && to - from > 1) {
    if (to > here + 2 || from >= here) to -= 1;
    else from += 1;
  }
  return draw();
}
