/** What happens if a component fails, as the plan foresees it: what is done, and what it would go back to. */
import type {Plan, WayBack} from '../../../release/model.ts';
import type {OnFailure} from '../../../release/words.ts';

const withoutAnybody: Readonly<Record<OnFailure, string>> = {
  leave: 'it is left as it is',
  rollback: 'it is taken back',
  'rollback-all': 'all that have moved are taken back',
};

/** `you are asked; with --yes it is left as it is (onFailure: leave)`. */
export function ifOneFails({onFailure = 'leave'}: Plan): string {
  return `you are asked; with --yes ${withoutAnybody[onFailure]} (onFailure: ${onFailure})`;
}

/** What taking a component back means: `to 1.13.2`, `to 1.13.2, when somebody says so`, `it stays as it is`. */
export function tellWay({version = 'what is there now', revert}: WayBack): string {
  if (revert === 'never') return 'none: it stays as it is (revert: never)';
  return `to ${version}${revert === 'ask' ? ', when somebody says so (revert: ask)' : ''}`;
}

/** The ways back of all components in one line: `pass-core, service to 1.13.2; journal-loader stays`. */
export function allWays(back: readonly WayBack[]): string {
  const ways = Map.groupBy(back, ({version, revert}) =>
    revert === 'never'
      ? 'stay as they are'
      : `to ${version ?? 'what is there now'}${revert === 'ask' ? ', when somebody says so' : ''}`,
  );
  return [...ways].map(([way, components]) => `${components.map(({component}) => component).join(', ')} ${way}`).join('; ');
}
