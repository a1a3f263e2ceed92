import type {Command} from '../../../release/contract.ts';
import {preparing} from '../../../release/words.ts';
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

const commandedWords: Readonly<Record<Command['do'], string>> = {
  stop: 'stopping',
  detach: 'detaching',
  interrupt: 'interrupted twice, ending',
};

function status({form, run, commanded}: Model): Line {
  if (run.finished === undefined && commanded !== undefined)
    return [span(`${commandedWords[commanded]}${glyphs.ellipsis}`, {colour: 'yellow', bold: true})];
  if (run.started !== undefined) return [span(run.started.by.identity ?? `${run.started.by.user}@${run.started.by.host}`, dim)];
  if (!isAsking(form)) return [];
  const card = form.environments.find(({name}) => name === form.state.answers.environment);
  return [span([card?.account, card?.region].filter(Boolean).join(' '), dim)];
}

/**
 * All stations; where there is no room for them, the phases that prepare as one, closer together, and at last as many around the
 * one that is on as there is room for: where some are left out stands an ellipsis.
 */
function stations(stages: readonly Stage[], width: number): Line {
  const merged = withPreparingAsOne(stages);
  const whole = [drawn(stages, 2), drawn(merged, 2), drawn(merged, 1)].find(line => widthOf(line) <= width);
  return whole ?? part(merged, width);
}

function drawn(stages: readonly Stage[], between: number): Line {
  return stages.flatMap(({name, is}, index) => {
    const [glyph, style] = marks[is];
    return [gap(index === 0 ? 0 : between), span(`${glyph} ${name}`, style)];
  });
}

function part(stages: readonly Stage[], width: number): Line {
  const isOn = stages.findIndex(stage => stage.is === 'here');
  const here = isOn >= 0 ? isOn : stages.findLastIndex(stage => stage.is === 'done' || stage.is === 'failed');
  let [from, to] = [0, stages.length];
  const draw = (): Line => [
    ...(from > 0 ? [span(`${glyphs.ellipsis} `, dim)] : []),
    ...drawn(stages.slice(from, to), 2),
    ...(to < stages.length ? [span(` ${glyphs.ellipsis}`, dim)] : []),
  ];
  while (widthOf(draw()) > width && to - from > 1) {
    if (to > here + 2 || from >= here) to -= 1;
    else from += 1;
  }
  return draw();
}

/** Bump, build and push as one station, where they are in one state. */
function withPreparingAsOne(stages: readonly Stage[]): readonly Stage[] {
  const isPreparing = ({name}: Stage): boolean => preparing.some(phase => phase === name);
  const [first, ...others] = stages.filter(isPreparing);
  if (first === undefined || others.some(({is}) => is !== first.is)) return stages;
  return stages.flatMap(stage => (stage === first ? [{...first, name: 'prepare'}] : isPreparing(stage) ? [] : [stage]));
}
