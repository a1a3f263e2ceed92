import {exec, type Environment} from '../exec.ts';

/** What `docker build` builds with. */
export type Builder =
  /** BuildKit through the buildx plug-in, which clients since 23.0 hand `docker build` on to. */
  | {readonly is: 'buildx'; readonly provenanceFlag: boolean; readonly rawJson: boolean}
  /** BuildKit inside the client: 18.09 to 20.10, asked for with DOCKER_BUILDKIT=1. They build without the plug-in even if it is there. */
  | {readonly is: 'built-in'}
  /** No BuildKit: a newer client without the plug-in, anything older, or because the user `asked` with DOCKER_BUILDKIT=0. */
  | {readonly is: 'legacy'; readonly asked: boolean};

export interface DockerVersions {
  readonly client: string;
  readonly server: string;
  /** Operating system of the engine; BuildKit builds no Windows images here. */
  readonly serverOs: string;
}

const probeTimeoutMs = 15_000;

/** One `docker buildx version`, where the answer depends on it. */
export async function findBuilder({client, server, serverOs}: DockerVersions, env: Environment): Promise<Builder> {
  if (/^(0|f|false)$/i.test(env['DOCKER_BUILDKIT'] ?? '')) return {is: 'legacy', asked: true};
  if (serverOs === 'windows' || isOlder(server, 18, 9) || isOlder(client, 18, 9)) return {is: 'legacy', asked: false};
  if (isOlder(client, 23, 0)) return {is: 'built-in'};

  const {exitCode, stdout} = await exec('docker', ['buildx', 'version'], {env, timeoutMs: probeTimeoutMs});
  if (exitCode !== 0) return {is: 'legacy', asked: false};
  // `github.com/docker/buildx v0.12.1 30feaa1`. Attestations came with 0.10, rawjson with 0.13; older ones refuse the flags.
  const version = stdout.replace(/^\S+ v?/, '');
  return {is: 'buildx', provenanceFlag: !isOlder(version, 0, 10), rawJson: !isOlder(version, 0, 13)};
}

/** The arguments and variables by which `docker build` uses that builder. */
export function builderOptions(builder: Builder): {readonly args: readonly string[]; readonly env: Environment} {
  // Not 0 where nobody asked for it: the client would tell people to remove a variable that they never set.
  if (builder.is === 'legacy') return {args: [], env: {DOCKER_BUILDKIT: builder.asked ? '0' : undefined}};
  return {
    args: [
      builder.is === 'buildx' && builder.rawJson ? '--progress=rawjson' : '--progress=plain',
      // Without it a builder of BUILDX_BUILDER would keep the image to itself.
      ...(builder.is === 'buildx' ? ['--load'] : []),
      // An attestation holds the time of the build: two builds of the same would never have the same digest.
      ...(builder.is === 'buildx' && builder.provenanceFlag ? ['--provenance=false'] : []),
    ],
    env: {DOCKER_BUILDKIT: '1'},
  };
}

/** Whether a version such as `20.10.24+dfsg1` is older. One that cannot be read is new: development builds have such ones. */
function isOlder(version: string, major: number, minor: number): boolean {
  const [, itsMajor, itsMinor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (itsMajor === undefined) return false;
  return Number(itsMajor) < major || (Number(itsMajor) === major && Number(itsMinor) < minor);
}
