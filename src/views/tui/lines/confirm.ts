/** What is about to be approved: what will be done, where, by whom, what happens if it fails, under which policy. */
import type {EventOf} from '../../../release/events.ts';
import type {Plan} from '../../../release/model.ts';
import {grave} from '../../../release/words.ts';
import {approvalAsked} from '../state/drafts.ts';
import type {Form} from '../state/form.ts';
import type {Model} from '../state/model.ts';
import {settingsOf} from '../state/settings.ts';
import {glyphs} from '../text/glyphs.ts';
import {cell, dim, gap, type Line, paragraph, type Style} from '../text/line.ts';
import {riskStyle, shortFingerprint} from '../text/words.ts';
import {flagsOf, riskCounts} from './changes.ts';
import {flagWords} from './flags.ts';
import {allWays, ifOneFails} from './way-back.ts';

/** The rows between the title and the field; none where nothing is asked. */
export function confirmLines(model: Model, width: number): readonly Line[] {
  const {plan, started} = model.run;
  const question = approvalAsked(model);
  if (question === undefined || started === undefined || plan === undefined) return [];
  return [
    ...changeRows(plan, width),
    ...row('where', dim, placeOf(started, model.form), width),
    ...row('by', dim, started.by.identity ?? `${started.by.user}@${started.by.host}`, width),
    ...row('if one fails', dim, ifOneFails(plan), width),
    ...(plan.back === undefined || plan.back.length === 0 ? [] : row('way back', dim, allWays(plan.back), width)),
    ...row('plan', dim, `${shortFingerprint(plan.fingerprint)} ${glyphs.dot} valid while nothing changes`, width),
    ...row('policy', dim, policyOf(started, flagWords(question, model.run)), width),
  ];
}

function row(label: string, style: Style, text: string, width: number): readonly Line[] {
  return paragraph(text, width, {}, [gap(2), cell(label, 16, style)]);
}

/** What will be done, worst first. What is grave is said in full, not counted. */
function changeRows(plan: Plan, width: number): readonly Line[] {
  const counts = riskCounts(plan);
  if (counts.length === 0) return row('nothing to do', dim, 'every component is as it should be', width);
  const rows = counts.flatMap(({risk, changes, components}) => {
    const graveOnes = plan.components.flatMap(({component, changes}) =>
      changes.filter(change => change.risk === risk).map(({summary}) => `${component}: ${summary}`),
    );
    const texts = grave.has(risk) ? graveOnes : [components.join(', ')];
    return texts.flatMap((text, index) => row(index === 0 ? `${changes} ${risk}` : '', riskStyle(risk), text, width));
  });
  const flags = flagsOf(plan).flatMap(([flag, components]) => row(flag, riskStyle(flag), components.join(', '), width));
  return [...rows, ...flags];
}

function placeOf(started: EventOf<'run.started'>, form: Form | undefined): string {
  const {environment} = started;
  const card = form?.environments.find(({name}) => name === environment);
  const {account, region} = settingsOf(started);
  return [environment, card?.account ?? account, card?.region ?? region].filter(Boolean).join(' ');
}

/** What the environment lets CI do by itself, and what CI would have to be told. */
function policyOf(started: EventOf<'run.started'>, flags: string | undefined): string {
  const {allow} = settingsOf(started);
  const may = allow.length === 0 ? '--yes may approve nothing here by itself' : `--yes may approve ${allow.join(', ')} here`;
  return flags === undefined ? may : `${may}; in CI this takes ${flags}`;
}
