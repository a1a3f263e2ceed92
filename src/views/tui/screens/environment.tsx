import type {EnvironmentCard} from '../../../release/form.ts';
import {environmentDetails, remarks, versionWord, versionsOf} from '../lines/environment.ts';
import {pointed} from '../lines/table.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {selectedId} from '../state/lists.ts';
import {glyphs} from '../text/glyphs.ts';
import {around, blank, bold, cell, cut, dim, gap, type Line, line, widest} from '../text/line.ts';

/**
 *     Where does this release go?
 *
 *     ▸ production   333333333333 us-east-1   1.13.2       ✔ passed 12 d ago by operator-2   ✔ staging: 1.14.0 verified 2 h ago
 *       staging      222222222222 us-east-1   1.14.0 (5)   mixed: nihms-loader 1.13.2   ✔ passed 2 h ago by ci
 *       sandbox      444444444444 us-east-1                ✖ there are no AWS credentials   no release on record
 *     ───────────────────────────────────────────────────────────────────────────────────────────
 *     production · 333333333333 us-east-1
 *     …
 */
export function EnvironmentScreen({scene}: {readonly scene: Scene}) {
  const {model, width, height, moment} = scene;
  const cards = model.form?.environments ?? [];
  const selected = selectedId(model, 'environments');
  const at = cards.findIndex(({name}) => name === selected);
  const rows = environmentRows(cards, selected, width, moment.now);
  const card = cards[at];
  // The list first; what is known of the selected one gets the rest.
  const table = Math.min(rows.length, Math.max(3, height - 10));
  const room = height - table - 4;
  const details = card === undefined || room < 2 ? [] : environmentDetails(card, moment.now, width).slice(0, room);
  return (
    <Lines
      width={width}
      lines={[
        line('Where does this release go?', bold),
        blank,
        ...around(rows, at, table),
        ...(details.length === 0 ? [] : [blank, line(glyphs.rule.repeat(width), dim), ...details]),
      ]}
    />
  );
}

/** Where the account is, only where the rest has room beside it: it is below in any case. */
const roomForPlaces = 118;

function environmentRows(cards: readonly EnvironmentCard[], selected: string | undefined, width: number, now: number): Line[] {
  const names = widest(
    cards.map(({name}) => name),
    Math.floor(width / 3),
  );
  const places = width < roomForPlaces ? [] : cards.map(({account, region}) => [account, region].filter(Boolean).join(' '));
  const placeWidth = widest(places, 28);
  const versions = widest(cards.map(versionWord), 20);
  return cards.map((card, index) => {
    const isMixed = versionsOf(card).length > 1;
    return cut(
      [
        ...pointed(card.name, names, card.name === selected),
        ...(placeWidth > 0 ? [cell(places[index] ?? '', placeWidth, dim), gap(2)] : []),
        ...(versions > 0 ? [cell(versionWord(card), versions, isMixed ? {colour: 'yellow'} : {}), gap(2)] : []),
        ...remarks(card, now),
      ],
      width,
    );
  });
}
