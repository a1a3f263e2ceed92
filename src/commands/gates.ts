/** What a release as a whole needs before it may begin: promotion, and the items of the checklist that come before. */
import type {Io} from '../components/io.ts';
import {repositoriesOverride, repositoryGates} from '../components/repositories.ts';
import {failed, passed} from '../components/verdict.ts';
import type {LoadedConfig} from '../config/load.ts';
import type {Requirement} from '../config/schema.ts';
import type {Gate} from '../release/contract.ts';
import {UsageError, inOneLine} from '../release/errors.ts';
import {type Item, type Promotion, judgePromotion, tellTick, tickOf, timeInWords} from '../release/checklist.ts';
import type {Check, Claim} from '../release/model.ts';
import type {Order} from '../release/run.ts';
import type {Store} from '../record/store.ts';
import {showCommand} from '../tools/exec.ts';
import type {Context} from './context.ts';
import {promotedHere, readPast} from './promotion.ts';
import {readTicks} from './records.ts';

/** What a release is asked for: where it goes, which version, which components. */
interface Choice {
  readonly environment: string;
  readonly version: string;
  readonly components: readonly string[];
}

/** The gates that `--override <name> --reason <text>` lets through. */
export const overrideNames: readonly string[] = ['promotion', 'checklist', repositoriesOverride];

/** Gates that are let through, with why and by whom. Throws a UsageError for a name that is none, or without a reason. */
export function overridesOf(
  {user, host}: Pick<Context, 'user' | 'host'>,
  {override = [], reason}: {readonly override?: readonly string[]; readonly reason?: string},
): NonNullable<Order<Io>['overrides']> {
  if (override.length > 0 && !reason?.trim()) {
    throw new UsageError(`--override ${override[0]} needs --reason <text>: it stays in the record and in every audit`, {
      code: 'DW214',
      means: 'Nothing was started.',
    });
  }
  const unknown = override.find(name => !overrideNames.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`--override ${unknown}: there is no such gate`, {
      means: 'Nothing was started.',
      next: [`There are: ${overrideNames.join(', ')}`],
    });
  }
  return override.map(name => ({name, reason: reason ?? '', by: `${user}@${host}`}));
}

/** The gates of an environment for one version. They read the records when they are looked at. */
export function gatesFor(
  context: Pick<Context, 'env'>,
  {loaded, store}: {readonly loaded: LoadedConfig; readonly store: Store},
  choice: Choice,
): readonly Gate<Io>[] {
  const {requires = []} = loaded.config.environments[choice.environment] ?? {};
  const before = loaded.config.checklist.filter(({when}) => when === 'before');
  return [
    ...requires.map(requirement => promotionGate(context, loaded, store, requirement, choice)),
    ...before.map(item => itemGate(store, item, choice)),
    ...repositoryGates(loaded.config, choice.version),
  ];
}

export function promotionClaim({env, ticks, for: soak}: Requirement, version: string): Claim {
  const more = [...(soak === undefined ? [] : [`for ${timeInWords(soak)}`]), ...ticks.map(item => `${item} ticked`)];
  return {
    id: `promotion ${env}`,
    text: `${version} is verified in ${env}${more.length === 0 ? '' : ` (${more.join(', ')})`}`,
    subject: {is: 'promotion', env},
  };
}

function promotionGate(
  context: Pick<Context, 'env'>,
  loaded: LoadedConfig,
  store: Store,
  requirement: Requirement,
  choice: Choice,
): Gate<Io> {
  const claim = promotionClaim(requirement, choice.version);
  return {
    claim,
    override: 'promotion',
    check: async io => {
      const past = await readPast(store, requirement.env, choice, loaded.config.checklist);
      const here = await promotedHere(context, loaded, choice, io);
      return tellPromotion(claim, requirement.env, judgePromotion(requirement, here, past, io.clock.now()), past.problems);
    },
  };
}

/** The verdict in words. Older records that cannot be read are no reason by themselves; they may be why something is missing. */
export function tellPromotion(claim: Claim, env: string, {reasons, runs, since}: Promotion, problems: readonly string[]): Check {
  const see = showCommand(['deploy-wizard', 'log', '--env', env]);
  if (reasons.length === 0) return {...passed(claim, `run ${runs.join(', ')}, since ${since ?? ''}`), see};
  const next = [...new Set(reasons.flatMap(reason => reason.next ?? []))];
  return {
    ...failed(claim, reasons.map(({found}) => found).join('; '), {
      next: inOneLine(next),
      ...(problems.length > 0 && {evidence: problems.map(problem => `not counted: ${problem}`)}),
    }),
    see,
  };
}

function itemGate(store: Store, {id, text}: Item, {environment, version}: Choice): Gate<Io> {
  const claim: Claim = {id: `checklist ${id}`, text: `${id}: ${text}`, subject: {is: 'item', id}};
  return {
    claim,
    override: 'checklist',
    check: async () => {
      const {ticks, problems} = await readTicks(store, environment, version);
      const tick = tickOf(id, ticks);
      const command = showCommand(['deploy-wizard', 'tick', id, '--env', environment, '--release', version]);
      if (tick !== undefined) return passed(claim, tellTick(tick));
      return failed(claim, `it is not ticked for ${version}`, {
        next: command,
        ...(problems.length > 0 && {evidence: problems.map(problem => `not counted: ${problem}`)}),
      });
    },
  };
}
