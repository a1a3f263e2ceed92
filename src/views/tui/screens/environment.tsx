import type {EnvironmentCard} from '../../../release/form.ts';
import {pointed} from '../lines/table.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {selectedId} from '../state/lists.ts';
import {glyphs} from '../text/glyphs.ts';
import {around, blank, bold, cell, dim, gap, type Line, line, span, type Span, widest} from '../text/line.ts';
import {ago, isBadOutcome} from '../text/words.ts';

/**
 *     Where does this release go?
 *
 *     ▸ production     333333333333 us-east-1     1.13.2    ✔ passed 12 d ago by operator-2
 *       staging        222222222222 us-east-1     1.14.0    ✖ failed 2 h ago by ci
 *       sandbox        444444444444 us-east-1     no release on record
 */
export function EnvironmentScreen({scene}: {readonly scene: Scene}) {
  const {model, width, height} = scene;
  const cards = model.form?.environments ?? [];
  const selected = selectedId(model, 'environments');
  const at = cards.findIndex(({name}) => name === selected);
  const rows = environmentRows(cards, selected, width, scene.moment.now);
  return <Lines width={width} lines={[line('Where does this release go?', bold), blank, ...around(rows, at, height - 2)]} />;
}

function environmentRows(cards: readonly EnvironmentCard[], selected: string | undefined, width: number, now: number): Line[] {
  const names = widest(
    cards.map(({name}) => name),
    Math.floor(width / 3),
  );
  const places = cards.map(({account, region}) => [account, region].filter(Boolean).join(' '));
  const placeWidth = widest(places, 28);
  const versions = widest(
    cards.map(({last}) => last?.version ?? ''),
    20,
  );
  return cards.map((card, index) => [
    ...pointed(card.name, names, card.name === selected),
    cell(places[index] ?? '', placeWidth, dim),
    gap(placeWidth > 0 ? 2 : 0),
    ...lastRelease(card, versions, now),
  ]);
}

function lastRelease({last}: EnvironmentCard, versions: number, now: number): readonly Span[] {
  if (last === undefined) return [span('no release on record', dim)];
  const [glyph, colour] = isBadOutcome(last.outcome) ? ([glyphs.failed, 'red'] as const) : ([glyphs.done, 'green'] as const);
  return [
    cell(last.version, versions),
    gap(2),
    span(`${glyph} ${last.outcome}`, {colour}),
    span(` ${[ago(last.at, now), `by ${last.by}`].filter(Boolean).join(' ')}`, dim),
  ];
}
