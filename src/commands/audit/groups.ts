/** What is looked at for one run of a release, and for the other runs that it came in. */
import path from 'node:path';
import type {Component} from '../../release/contract.ts';
import type {Io} from '../../components/io.ts';
import {toTrouble} from '../../release/errors.ts';
import type {AuditGroup} from '../../views/audit.ts';
import type {Application} from '../application.ts';
import {bindComponents} from '../binding.ts';
import type {Context} from '../context.ts';
import {looking} from '../looking.ts';
import {placeOf} from '../places.ts';
import {asRecorded, redactionFor} from '../recorded.ts';
import {lookAtAccount, needsSession} from './account.ts';
import {type Looked, claimsOf, laterOf, lookAtComponent} from './components.ts';
import type {AuditedRun, FoundRun} from './find.ts';
import {imageLines} from './images.ts';
import {itemLines} from './items.ts';
import {type Line, group, line} from './lines.ts';
import type {Part} from './parts.ts';
import {type Subject, planLines, preconditions} from './preconditions.ts';
import {seeLive, seeRecord} from './see.ts';
import {sourceLines} from './source.ts';

export interface Rest {
  readonly groups: readonly (AuditGroup | undefined)[];
  readonly looked: readonly Looked[];
}

/** All that one run is audited for, but its record. */
export async function groupsOf(
  context: Context,
  application: Application,
  environment: string,
  {audited, newer, earlier}: Pick<FoundRun, 'audited' | 'newer' | 'earlier'>,
): Promise<Rest> {
  const {started} = audited.history;
  if (started === undefined) return {groups: [], looked: []};
  const {now} = context.clock;
  const see = seeRecord(application.store.placeOf(environment, audited.run));
  const readable = readConfig(application, started);
  if (typeof readable === 'string') {
    const unreadable = line('config', 'the config of the release can be read', see).failed(readable);
    return {groups: [group('config', 'config', [unreadable], now)], looked: []};
  }
  const loaded = readable;
  const {version} = started;
  const subject: Subject = {audited, earlier, loaded, environment, store: application.store, see};
  const components = bindComponents(loaded, context, {environment, version, components: started.components.map(({id}) => id)});
  const redaction = redactionFor(loaded, started.run);
  const recordedFolder = path.dirname(started.configPath);
  const found = await looking(
    context,
    {loaded, environment, version, redaction, store: application.store},
    async (world, stop): Promise<Rest> => {
      const whole = world.ioFor({component: '*', phase: 'verify'}, stop);
      const {usesAws} = placeOf(loaded, environment, context.env);
      const aws = (component: Component<Io>) =>
        component.requirements({is: 'release', version}).some(({subject: what}) => needsSession(what, usesAws));
      const account = await lookAtAccount(subject, whole, components.some(aws));
      const looks = components.map(component =>
        lookAtComponent(subject, component, world.ioFor({component: component.id, phase: 'verify'}, stop), {
          later: laterOf(component.id, version, newer),
          unseen: aws(component) ? account.unseen : undefined,
          recordedFolder,
          otherwise: seeLive(environment),
        }),
      );
      const [looked, before, source, images, items] = await Promise.all([
        Promise.all(looks),
        preconditions(subject),
        sourceLines(subject, whole),
        imageLines(context, subject, whole, {
          unseen: account.unseen,
          claimed: claimingDigests(subject, components, recordedFolder),
        }),
        itemLines(subject),
      ]);
      const groups = [
        group('preconditions', 'preconditions', before, now),
        group('source', 'source', source, now),
        group('images', 'images', images, now),
        group('plan', 'plan', planLines(subject), now),
        group('account', 'account', account.lines, now),
        ...looked.map(({component, kind, lines}) => group(`component:${component}`, `${component}   ${kind}`, lines, now)),
        group('checklist', 'checklist', items, now),
      ];
      return {groups, looked};
    },
  );
  return {...found, groups: redaction.deep(found.groups)};
}

/** Another run of the version, for the components that came with it: its groups bear its name. */
export async function partGroups(context: Context, application: Application, environment: string, part: Part): Promise<Rest> {
  const {audited, newer, fallen} = part;
  const {run} = audited;
  const see = seeRecord(application.store.placeOf(environment, run));
  const {groups, looked} = await groupsOf(context, application, environment, {audited, newer, earlier: []});
  const own = groups.filter(one => one !== undefined && one.id !== 'checklist' && one.id !== 'account');
  const lost = fallen
    .filter(({component, version}) => !laterOf(component, version ?? '', newer)?.moved)
    .map(({component, end, note}) => line(component, `${component} has come there`, see).failed(`${end}: ${note}`));
  return {
    groups: [
      group('record', 'record', integrityLines(audited, see), context.clock.now),
      ...own,
      group('fallen', 'what did not come there', lost, context.clock.now),
    ].map(
      one => one && (one.id.startsWith('component:') ? one : {...one, id: `${one.id}:${run}`, title: `${one.title}, run ${run}`}),
    ),
    looked,
  };
}

/** The config as it was, in the folder of this checkout; or why it cannot be read. */
function readConfig(
  {loaded}: Application,
  started: NonNullable<AuditedRun['history']['started']>,
): ReturnType<typeof asRecorded> | string {
  try {
    return {...asRecorded(started), path: loaded.path, folder: loaded.folder};
  } catch (error) {
    return toTrouble(error).what;
  }
}

/** Components that look at the digest of what they pushed themselves. */
function claimingDigests(subject: Subject, components: readonly Component<Io>[], folder: string): ReadonlySet<string> {
  return new Set(
    components.flatMap(component => {
      try {
        return claimsOf(subject, component, folder)?.claims.some(({id}) => id === `${component.id} digest`) ? [component.id] : [];
      } catch {
        // That its plan cannot be read is said where it is looked at.
        return [];
      }
    }),
  );
}

export function integrityLines({record}: AuditedRun, see: string): readonly Line[] {
  const say = line('chain', 'the record is intact', see);
  return [
    record.problems.length === 0
      ? say.passed(`${record.events.length} lines, each chained to the one before, head ${record.head.hash}`)
      : say.failed(record.problems.join('; ')),
  ];
}
