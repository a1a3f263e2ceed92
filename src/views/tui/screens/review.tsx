import {Box, useIsScreenReaderEnabled} from 'ink';
import type {AnyComponentPlan, Plan} from '../../../release/model.ts';
import {riskOf} from '../../../release/words.ts';
import {totalLine} from '../lines/changes.ts';
import {scrollableOf, titleHeight, topOf} from '../lines/panes.ts';
import {found, reviewWidths} from '../lines/review.ts';
import {pointed} from '../lines/table.ts';
import {Lines} from '../parts/lines.tsx';
import type {Scene} from '../scene.ts';
import {selectedId} from '../state/lists.ts';
import {shownPlans} from '../state/review.ts';
import {glyphs} from '../text/glyphs.ts';
import {accent, around, blank, bold, dim, type Line, line, scrolled, span, spread} from '../text/line.ts';
import {riskStyle} from '../text/words.ts';

/**
 *     What would change                                                   3 update, 1 outage (~2 m)
 *
 *       pass-core          trigger  │ service
 *     ▸ service            outage   │ Terraform, 0.7.1 → 0.7.2
 *       grant-loader       update   │
 *                                   │ ▾ outage   aws_instance.default is destroyed, then created
 *                                   │   user_data   …:0.7.1 → …:0.7.2
 */
export function ReviewScreen({scene}: {readonly scene: Scene}) {
  const {model, width, height} = scene;
  const hasBorders = !useIsScreenReaderEnabled();
  const {plan} = model.run;
  if (plan === undefined) return null;
  const selected = selectedId(model, 'changes');
  const shown = shownPlans(model);
  const at = shown.findIndex(({component}) => component === selected);
  const {left, right} = reviewWidths(scene);
  const changes = scrollableOf(scene);
  const room = height - titleHeight;
  const isReading = model.reading === 'changes';
  const rows = shown.map(row => componentRow(row, left, row.component === selected));
  const again = model.asks.some(ask => ask.about === 'approval' && ask.again);
  const title = again ? 'The world has changed since: this is a new plan' : 'What would change';
  return (
    <>
      <Lines
        width={width}
        lines={[spread(line(title, again ? {colour: 'yellow', bold: true} : bold), rightOf(scene, plan), width), blank]}
      />
      <Box height={room} flexDirection={hasBorders ? 'row' : 'column'}>
        <Box width={left} flexShrink={0}>
          <Lines width={left} lines={hasBorders ? around(rows, at, room) : rows.slice(at, at + 1)} />
        </Box>
        {hasBorders && (
          <Box width={3} flexShrink={0}>
            <Lines width={3} lines={Array.from({length: room}, () => line(` ${glyphs.divider} `, isReading ? accent : dim))} />
          </Box>
        )}
        <Box width={right} flexShrink={0}>
          <Lines width={right} lines={scrolled(changes.lines, topOf(model, changes), changes.height)} />
        </Box>
      </Box>
    </>
  );
}

/** The totals; or which part of them is shown, or what is looked for. */
function rightOf(scene: Scene, plan: Plan): Line {
  const {search, hit, risk} = scene.model.review;
  const only = risk === undefined ? totalLine(plan) : [span('only ', dim), span(risk, riskStyle(risk))];
  if (search === '') return only;
  const places = found(scene).length;
  const where = places === 0 ? 'nothing found' : `${hit + 1} of ${places}`;
  return [span(`"${search}" `, dim), span(where, places === 0 ? {colour: 'yellow'} : accent)];
}

const riskWidth = 7;

function componentRow(plan: AnyComponentPlan, width: number, isSelected: boolean): Line {
  const risk = riskOf(plan);
  const isFlagged = plan.changes.some(({flags}) => flags.length > 0);
  const word = risk === 'none' ? 'nothing' : risk;
  return [
    ...pointed(plan.component, width - riskWidth - 5, isSelected),
    span(word, riskStyle(risk)),
    ...(isFlagged ? [span(glyphs.warned, {colour: 'yellow', bold: true})] : []),
  ];
}
