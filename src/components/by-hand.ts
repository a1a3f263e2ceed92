/** How commands of AWS's own tool are typed, for the steps of every kind. */
import type {ByHand} from '../release/contract.ts';
import type {Io} from './io.ts';

export type Command = ByHand['commands'][number];

/** An `aws` command that asks where the release goes: in the environment's region, with its profile. */
export function aws({place: {region, profile}}: Pick<Io, 'place'>, ...command: readonly string[]): Command {
  return [
    'aws',
    ...command,
    ...(region === undefined ? [] : ['--region', region]),
    ...(profile === undefined ? [] : ['--profile', profile]),
  ];
}

/** The part of AWS that a region is in, as ARNs begin. */
export function partitionOf(region: string | undefined): string {
  return region?.startsWith('cn-') ? 'aws-cn' : region?.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
