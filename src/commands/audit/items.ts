/** The manual items of the checklist: ticked, by whom and when, or open. */
import {tellTick, tickOf} from '../../release/checklist.ts';
import {showCommand} from '../../tools/exec.ts';
import {isS3} from '../../record/place.ts';
import {kindOf} from '../../release/standing.ts';
import {readTicks, ticksOf} from '../records.ts';
import {type Line, line} from './lines.ts';
import type {Subject} from './preconditions.ts';

export async function itemLines({audited, loaded, environment, store}: Subject): Promise<readonly Line[]> {
  const {checklist} = loaded.config;
  const {started, waived} = audited.history;
  const kind = kindOf(audited);
  if (checklist.length === 0 || started === undefined || kind === 'adopt') return [];
  const {version} = started;
  const place = store.placeOf(ticksOf(environment));
  const see = (words: string) =>
    showCommand(isS3(place) ? ['aws', 's3', 'cp', '--recursive', place, '.'] : ['grep', '-r', words, place]);
  const {ticks, problems} = await readTicks(store, environment, version, [audited]);
  return [
    ...checklist.map(({id, when, text}) => {
      const say = line(`checklist ${id}`, `${text} (${when} the release)`, see(`"item":"${id}"`));
      const tick = tickOf(id, ticks);
      const waiver = waived.find(({claim}) => claim === `checklist ${id}`);
      const next = showCommand(['deploy-wizard', 'tick', id, '--env', environment, '--release', version]);
      if (waiver !== undefined) return say.warned(`${waiver.what}; let through by ${waiver.by}: ${waiver.reason}`);
      if (tick === undefined)
        // The way back waits for no items.
        return when === 'before' && kind === 'release'
          ? say.failed('it is not ticked', {next})
          : say.open('it is not ticked', {next});
      return when === 'before' && tick.at > audited.ended
        ? say.warned(`${tellTick(tick)}; the release had ended already`)
        : say.passed(tellTick(tick));
    }),
    ...problems.map(problem => line('ticks', 'the records of ticks are intact', see('"type":"ticked"')).failed(problem)),
  ];
}
