/** What must be true of a loader before and after a release, and the looks whether it is. */
import * as z from 'zod';
import type {Check, Claim} from '../../release/model.ts';
import {withoutSession} from '../aws/requirements.ts';
import {
  type ContainerImage,
  containerImage,
  correctImages,
  missingContainer,
  movedTag,
  runsImages,
  shortArn,
} from '../aws/task-definition.ts';
import type {Io} from '../io.ts';
import {failed, passed, warned} from '../verdict.ts';
import type {Loader, Pin} from './loader.ts';
import {parseReference, shortReference} from './reference.ts';
import {readSource} from './sources.ts';
import {isPinned, placeKey, standingOf} from './standing.ts';
import {strangers, strangersNow} from './strangers.ts';
import {machineArn} from './state-machine.ts';
import {type Found, aliased, survey} from './survey.ts';
import {type Reading, type Source, entryName, machineName, source, sourceKey, sourceName} from './target.ts';

const subject = z.discriminatedUnion('is', [
  z.object({is: z.literal('definition')}),
  z.object({is: z.literal('source'), source}),
  z.object({is: z.literal('smoke')}),
  z.object({is: z.literal('revision'), definition: z.string(), images: z.array(containerImage)}),
  z.object({is: z.literal('pin'), source, entry: z.string(), starts: z.string()}),
  z.object({is: z.literal('follows'), source, entry: z.string(), definition: z.string()}),
  /** `places`: keys of those that were planned for. */
  z.object({is: z.literal('strangers'), definition: z.string(), places: z.array(z.string())}),
]);
type Subject<Is extends z.infer<typeof subject>['is']> = Extract<z.infer<typeof subject>, {is: Is}>;

// ── what is claimed ──────────────────────────────────────────────────────────────────────────────────

export function definitionClaim({id, definitions, wanted, images}: Loader): Claim {
  const names = Object.keys(images).join(', ');
  return {
    id: `${id} definition`,
    text: `${id}: ${definitions.noun} ${wanted.name} with ${names}`,
    subject: {is: 'definition'},
  };
}

export function sourceClaim({id, wanted}: Loader, source: Source): Claim {
  return {
    id: `${id} ${sourceKey(source)}`,
    text: `${id}: ${sourceName(source)} starts ${wanted.name}`,
    subject: {is: 'source', source},
  };
}

export function smokeClaim({id}: Loader): Claim {
  return {id: `${id} smoke`, text: `${id}: a smoke run can come before activation`, subject: {is: 'smoke'}};
}

export function revisionClaim({id}: Loader, definition: string, images: readonly ContainerImage[]): Claim {
  return {
    id: `${id} revision`,
    text: `${shortArn(definition)} has the released images`,
    subject: {is: 'revision', definition, images: [...images]},
  };
}

export function pinClaim({id}: Loader, pin: Pin, starts: string): Claim {
  return {
    id: `${id} ${placeKey(pin)}`,
    text: `${sourceName(pin.source)} starts ${shortReference(starts)}`,
    subject: {is: 'pin', source: pin.source, entry: pin.entry, starts},
  };
}

export function followClaim({id, wanted}: Loader, pin: Pin, definition: string): Claim {
  return {
    id: `${id} ${placeKey(pin)}`,
    text: `${sourceName(pin.source)} starts the newest ${wanted.name}, ${shortArn(definition)}`,
    subject: {is: 'follows', source: pin.source, entry: pin.entry, definition},
  };
}

export function strangersClaim({id, wanted}: Loader, definition: string, pins: readonly Pin[]): Claim {
  return {
    id: `${id} other targets`,
    text: `nothing else starts an old ${wanted.name}`,
    subject: {is: 'strangers', definition, places: pins.map(placeKey)},
  };
}

// ── looking ──────────────────────────────────────────────────────────────────────────────────────────

/** The verdict on a claim of this file. */
export async function checkLoader(loader: Loader, claim: Claim, io: Io): Promise<Check> {
  const what = subject.parse(claim.subject);
  switch (what.is) {
    case 'definition':
      return (await withoutSession(claim, io)) ?? checkDefinition(loader, claim, io);
    case 'source':
      return (await withoutSession(claim, io)) ?? checkSource(loader, claim, what, io);
    case 'smoke':
      return (await withoutSession(claim, io)) ?? checkSmoke(loader, claim, io);
    case 'revision':
      return checkRevision(loader, claim, what, io);
    case 'pin':
      return checkPin(loader, claim, what, io);
    case 'follows':
      return checkFollows(loader, claim, what, io);
    case 'strangers':
      return checkStrangers(loader, claim, what, io);
  }
}

async function checkDefinition(loader: Loader, claim: Claim, io: Io): Promise<Check> {
  const {id, definitions, wanted, images} = loader;
  const standing = await standingOf(loader, io);
  if (standing === undefined)
    return failed(claim, `there is no ${definitions.noun} ${wanted.name}`, {
      next: `Register one, or correct its name in components.${id} of the config file.`,
    });
  const missing = missingContainer(standing.definition, Object.keys(images));
  if (missing !== undefined) return failed(claim, missing, {next: correctImages(id)});
  return passed(claim, shortArn(standing.definition.arn));
}

async function checkSource({id, wanted}: Loader, claim: Claim, {source}: Subject<'source'>, io: Io): Promise<Check> {
  const reading = await readSource(source, wanted, io);
  const next = `Correct components.${id}.targets in the config file.`;
  if (reading === undefined) return failed(claim, `there is no ${sourceName(source)}`, {next});
  if (reading.trouble !== undefined) return failed(claim, reading.trouble);
  if (reading.entries.length === 0) return failed(claim, `nothing of it starts ${wanted.name}`, {next});
  const starts = reading.entries.map(({id, starts}) => [id, shortReference(starts)].filter(Boolean).join(': '));
  return passed(claim, [...starts, ...(reading.timing?.enabled === false ? ['disabled'] : [])].join(', '));
}

async function checkSmoke(loader: Loader, claim: Claim, io: Io): Promise<Check> {
  const {places = []} = (await standingOf(loader, io)) ?? {};
  const follower = places.find(({entry}) => !isPinned(entry.starts));
  if (follower) {
    return failed(claim, `${sourceName(follower.source)} names no revision: registering one activates it there`, {
      next: `Let it name a revision, or take components.${loader.id}.smoke out of the config file.`,
    });
  }
  const launches = places.map(({source, entry}) => ({source, launch: entry.launch()}));
  const able = launches.find(({launch}) => 'request' in launch);
  if (able) return passed(claim, `as ${sourceName(able.source)} starts it`);
  const why = launches.map(({source, launch}) => `${sourceName(source)}: ${'problem' in launch ? launch.problem : ''}`);
  return failed(claim, `no target says how to start it: ${why.join('; ')}`, {
    next: `Take components.${loader.id}.smoke out of the config file.`,
  });
}

async function checkRevision(
  {definitions}: Loader,
  claim: Claim,
  {definition, images}: Subject<'revision'>,
  io: Io,
): Promise<Check> {
  const now = await definitions.find(definition, io);
  if (now === undefined) return failed(claim, 'it is gone');
  if (now.status !== 'ACTIVE') return failed(claim, `it is ${now.status}: nothing can start it`);
  if (!runsImages(now, images)) return failed(claim, 'it names other images');
  // Each start resolves the tag anew.
  const moved = await movedTag(images, io);
  if (moved !== undefined) return failed(claim, moved);
  // Of what is gone back to, the images may not have been noted.
  return passed(claim, images.map(({image}) => image.slice(image.indexOf('/') + 1)).join(', ') || 'it is active');
}

async function checkPin({wanted}: Loader, claim: Claim, {source, entry, starts}: Subject<'pin'>, io: Io): Promise<Check> {
  const reading = await readSource(source, wanted, io);
  if (reading === undefined) return failed(claim, `there is no ${sourceName(source)} any more`);
  const now = reading.entries.find(({id}) => id === entry)?.starts;
  const found = [entryName(source, entry), `starts ${now === undefined ? 'nothing of it' : shortReference(now)}`]
    .filter(Boolean)
    .join(' ');
  if (now === undefined || parseReference(now).revision !== parseReference(starts).revision) return failed(claim, found);
  return arrived(claim, found, reading);
}

async function checkFollows(
  {definitions, wanted}: Loader,
  claim: Claim,
  {source, entry, definition}: Subject<'follows'>,
  io: Io,
): Promise<Check> {
  const reading = await readSource(source, wanted, io);
  if (reading === undefined) return failed(claim, `there is no ${sourceName(source)} any more`);
  const now = reading.entries.find(({id}) => id === entry)?.starts;
  if (now === undefined) return failed(claim, 'it starts nothing of it');
  const newest = isPinned(now) ? undefined : await definitions.find(wanted.name, io);
  const starts = newest?.arn ?? now;
  return parseReference(starts).revision === parseReference(definition).revision
    ? arrived(claim, `starts ${shortReference(starts)}`, reading)
    : failed(claim, `it starts ${shortReference(starts)}`);
}

/** What names the right revision, and is switched off, starts nothing. */
function arrived(claim: Claim, found: string, {timing}: Reading): Check {
  return timing?.enabled === false
    ? warned(claim, `${found}, disabled: it starts nothing`, {next: 'Enable it, if it is to start anything.'})
    : passed(claim, found);
}

async function checkStrangers(
  {id, wanted, sources}: Loader,
  claim: Claim,
  {definition, places}: Subject<'strangers'>,
  io: Io,
): Promise<Check> {
  const {revision} = parseReference(definition);
  const late = (await Promise.all(sources.map(source => startersIn(source, wanted, io)))).flat();
  const missed = strangers(new Set(places), revision, late);
  if (missed.length > 0)
    return failed(claim, missed.join('; '), {next: 'It came after the plan: release the version once more.'});
  const seen = await survey(io);
  const others = await strangersNow(wanted, sources, revision, seen, source => startersIn(source, wanted, io));
  if (others.length > 0)
    return warned(claim, others.join('; '), {
      next: `List it in components.${id}.targets of the config file, or move it by hand.`,
    });
  const machines = await Promise.all(
    sources.flatMap(source => (source.is === 'stateMachine' ? [machineArn(source.machine, io)] : [])),
  );
  const old = machines.flatMap(machine => aliased(machine, seen).map(source => [sourceName(source), machine] as const));
  if (old.length > 0) {
    return warned(
      claim,
      old.map(([name, machine]) => `${name} starts a version or an alias of ${machineName(machine)}`).join('; '),
      {
        next: 'Publish a version of the state machine and move the alias to it, or let the machine itself be started.',
      },
    );
  }
  if (seen.unseen.length > 0) return warned(claim, seen.unseen.join('; '));
  const {rules, schedules} = seen;
  return passed(claim, `looked at: rules ${rules.length}, schedules ${schedules.length}, state machines ${seen.machines.length}`);
}

async function startersIn(source: Source, wanted: Loader['wanted'], io: Io): Promise<readonly Found[]> {
  const reading = await readSource(source, wanted, io);
  return (reading?.entries ?? []).map(entry => ({source, entry}));
}
