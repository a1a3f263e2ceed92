import type {KnownVersion} from '../../../release/form.ts';
import {isDowngrade} from '../../../release/version.ts';
import {truncateStart} from '../../text.ts';
import {versionHere} from '../keys/form.ts';
import {spinnerSpan} from '../lines/states.ts';
import {pointed} from '../lines/table.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {type Form, goingAlong, judge, type Look, lookOf, offersOf, typedVersion} from '../state/form.ts';
import {rowIds, selectedId} from '../state/lists.ts';
import {glyphs} from '../text/glyphs.ts';
import {
  accent,
  around,
  blank,
  bold,
  cell,
  cut,
  dim,
  gap,
  type Line,
  line,
  paragraph,
  span,
  spread,
  widest,
} from '../text/line.ts';
import {ago, count, kindWord} from '../text/words.ts';

/**
 *     Which version?                                                        production has 1.13.2
 *
 *     ▸ 1.13.3       patch
 *       1.14.0       minor · tagged 2 d ago · 6 of 6 images, pushed 2 d ago · ✔ staging: verified 2 h ago
 *       1.14.0-RC2   6 of 6 images, pushed 5 d ago
 *       1.13.1       5 of 6 images, pushed 40 d ago, downgrade
 *       other        type a version
 *
 *     a downgrade for service: asks for the environment's name
 *
 *     What runs there now
 *     pass-core           SNS trigger      1.13.2
 *     deposit-services    ⠹ looking…
 */
export function VersionScreen({scene}: {readonly scene: Scene}) {
  const {form} = scene.model;
  if (form === undefined) return null;
  const {width, height} = scene;
  const choices = versionRows(form, scene);
  // Two lines at least, so that the rest of the screen stays where it is while somebody types.
  const judged = judgement(form, scene);
  const meaning = judged.length < 2 ? [...judged, blank] : judged.slice(0, 4);
  const now = componentRows(lookOf(form), scene);
  const at = Math.max(0, rowIds(scene.model, 'versions').indexOf(selectedId(scene.model, 'versions') ?? ''));
  // The choices come first; what runs there gets the rest.
  const room = Math.min(choices.length, height - 3 - meaning.length);
  const rest = height - room - 3 - meaning.length;
  return (
    <Lines
      width={width}
      lines={[
        spread(line('Which version?', bold), cut(whatIsThere(form), width - 16), width),
        blank,
        ...around(choices, at, room),
        blank,
        ...meaning,
        ...(rest > 2 ? [blank, line('What runs there now', dim), ...around(now, 0, rest - 2)] : []),
      ]}
    />
  );
}

function whatIsThere(form: Form): Line {
  const versions = [...new Set(lookOf(form).cards.flatMap(({version}) => (version === undefined ? [] : [version])))];
  if (versions.length === 0) return [];
  const there = versions.length === 1 ? versions[0] : `${versions.length} versions: ${versions.join(', ')}`;
  return line(`${form.state.answers.environment} has ${there}`, dim);
}

function versionRows(form: Form, {model, width, moment}: Scene): readonly Line[] {
  const look = lookOf(form);
  const offers = offersOf(look);
  const selected = selectedId(model, 'versions');
  const versions = widest([...offers.map(({version}) => version), 'other'], 30);
  const isTyping = selected === typedVersion;
  const field: Line = isTyping
    ? [span(truncateStart(form.typed, width - versions - 8)), span(glyphs.caret, accent)]
    : [span(form.typed === '' ? 'type a version' : form.typed, dim)];
  // What is built has no images before it is released.
  const isBuilt = look.cards.some(({source}) => source !== undefined);
  const searching = !look.searched && look.done ? [spinnerSpan(moment), span(`looking for tags${glyphs.ellipsis}`, dim)] : [];
  return [
    ...offers.map(({version, text, known}) => [
      ...pointed(version, versions, version === selected),
      ...joined([...(text === undefined ? [] : [[span(text, dim)]]), ...knownWords(known, look, moment.now)]),
      ...(look.searched && known === undefined && !isBuilt && look.versions.length > 0
        ? [span(' · no image', {colour: 'yellow'})]
        : []),
      ...(look.cards.some(card => isDowngrade(card.version, version)) ? [span(', downgrade', {colour: 'yellow'})] : []),
    ]),
    [...pointed('other', versions, isTyping), ...field, ...(searching.length === 0 ? [] : [gap(3), ...searching])],
  ];
}

function joined(parts: readonly Line[]): Line {
  return parts.flatMap((part, index) => (index === 0 ? part : [span(` ${glyphs.dot} `, dim), ...part]));
}

/** What registries, git and required environments say of a version. */
function knownWords(known: KnownVersion | undefined, {cards}: Look, now: number): readonly Line[] {
  if (known === undefined) return [];
  const {version, images, pushedAt, taggedAt} = known;
  const isBuilt = cards.some(({source}) => source !== undefined);
  // What is there already has no gate to go through.
  const gates = cards.every(card => card.version === version) ? [] : known.gates;
  const isWhole = images.have === images.of;
  const pushed = pushedAt === undefined ? '' : `, pushed ${ago(pushedAt, now)}`;
  return [
    ...(taggedAt === undefined ? [] : [[span(`tagged ${ago(taggedAt, now)}`, dim)]]),
    ...(images.of === 0 || (isBuilt && images.have === 0)
      ? []
      : [[span(`${images.have} of ${count(images.of, 'image')}${pushed}`, isWhole ? dim : {colour: 'yellow' as const})]]),
    ...gates.map(({env, open, since}) => [
      open
        ? span(`${glyphs.done} ${env}: verified${since === undefined ? '' : ` ${ago(since, now)}`}`, {colour: 'green'})
        : span(`${glyphs.open} ${env}: not ready`, {colour: 'yellow'}),
    ]),
  ];
}

/** What the selected version would mean, under the list: the problem, the note, or why it must wait. */
function judgement(form: Form, scene: Scene): readonly Line[] {
  const version = versionHere(form, scene);
  const {problem, note} = judge(form, version);
  const look = lookOf(form);
  if (problem !== undefined)
    return paragraph(problem, scene.width, {colour: 'red'}, [span(`${glyphs.failed} `, {colour: 'red'})]);
  if (!look.done) return [[spinnerSpan(scene.moment), span(`looking at what runs there${glyphs.ellipsis}`, dim)]];
  if (note !== undefined)
    return paragraph(note, scene.width, {colour: 'yellow'}, [span(`${glyphs.warned} `, {colour: 'yellow'})]);
  if (version === '') return [line('such as 1.14.0, 1.14.0-RC1 or 1.14.0-SNAPSHOT', dim)];
  const cards = goingAlong(form);
  const noted = cards.find(({source, sourceNote}) => source === version && sourceNote !== undefined);
  if (noted?.sourceNote !== undefined) return paragraph(noted.sourceNote, scene.width, dim);
  const changed = cards.filter(card => card.version !== version).length;
  return [line(`${changed} of ${count(cards.length, 'component')} would change`, dim)];
}

/** One line a component: what it runs now, or why that cannot be told. */
function componentRows({cards, done}: Look, {width, moment}: Scene): readonly Line[] {
  const names = widest(
    cards.map(({id}) => id),
    Math.floor(width / 3),
  );
  const rows = cards.flatMap(({id, kind, version, isBetween, source, problem}): readonly Line[] => {
    const head = [cell(id, names), gap(2), cell(kindWord(kind), 16, dim)];
    const inSource = source === undefined || source === version ? [] : [span(`  source: ${source}`, dim)];
    const there =
      version !== undefined
        ? span(version)
        : isBetween
          ? span('in between: never finished', {colour: 'yellow'})
          : span('no version', dim);
    if (problem === undefined) return [[...head, there, ...inSource]];
    return [
      ...paragraph(problem.what, width, {colour: 'red'}, [...head, span(`${glyphs.failed} `, {colour: 'red'})]),
      ...(problem.next ?? []).flatMap(next => paragraph(next, width, {}, [gap(names + 20), span('next: ', accent)])),
    ];
  });
  return done ? rows : [...rows, [spinnerSpan(moment), span(`looking${glyphs.ellipsis}`, dim)]];
}
