/** Bump, commit, build, push: the steps before a plan. They touch the repository and the registry only. */
import type {Step} from '../../release/contract.ts';
import type {Io} from '../io.ts';
import type {Source, TerraformConfig} from './config.ts';
import {buildStep} from './source/build.ts';
import {bumpStep} from './source/bump.ts';
import {commitFilesStep} from './source/commit.ts';
import {pushStep} from './source/push.ts';
import {namesOf, versionFilePlaces} from './source/version-files.ts';

export {revisionLabel} from './source/build.ts';
export {commitStep, committed, pushedLater, refuseSwitched} from './source/commit.ts';
export {pushed} from './source/push.ts';

export const steps = {bump: 'bump', commit: 'commit', build: 'build', push: 'push'} as const;

export function prepareSteps(component: TerraformConfig, source: Source, version: string): readonly Step<Io>[] {
  const commit = commitFilesStep({
    id: steps.commit,
    phase: 'bump',
    files: async io => (await versionFilePlaces(source, io)).map(({path}) => path),
    folder: io => io.folder,
    names: namesOf(source),
    message: `Bump version to ${version}`,
    push: source.git.push,
  });
  return [
    bumpStep(steps.bump, source, version),
    ...(source.git.commit ? [commit] : []),
    buildStep(steps.build, component, source, version),
    pushStep(steps.push, source, version, steps.build),
  ];
}
