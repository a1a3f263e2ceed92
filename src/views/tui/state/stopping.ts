/** What stopping would mean at this moment, job by job (design section 7, Interrupts). */
import type {Phase} from '../../../release/words.ts';
import type {RunState} from '../../../release/reducer.ts';
import {componentName} from './rows.ts';

const whileApplying: Readonly<Record<string, string>> = {
  terraform: 'Terraform is interrupted once and stops after the resource it is working on; what is destroyed stays destroyed.',
  'ecs-service': 'ECS goes on rolling out what it was given; nobody watches it become steady.',
  'ecs-scheduled-task': 'The call in flight is finished; targets that have not moved stay on the old revision.',
  'batch-job-definition': 'The call in flight is finished; targets that have not moved stay on the old revision.',
  'sns-trigger': 'A message that is published is out: the deployment behind it goes on.',
};

const whileInPhase: Readonly<Record<Exclude<Phase, 'apply'>, string>> = {
  preflight: 'Looking ends. Nothing has been changed.',
  bump: 'The edit is finished or not made, never half; it is undone with the release.',
  build: 'The build is cancelled. Nothing has left this machine.',
  push: 'The push is cancelled. Layers that have arrived stay in the registry, the tag may be missing.',
  plan: 'Planning ends. Nothing has been changed.',
  confirm: 'Nothing has been approved.',
  verify: 'What was applied stays; whether it works is not proven.',
};

export interface StopMeaning {
  readonly who: string;
  readonly what: string;
}

/** One entry a running job; one for the whole where nothing runs. */
export function whatStoppingMeans(run: RunState): readonly StopMeaning[] {
  const running = [...run.jobs.values()].filter(job => job.status === 'running');
  if (running.length > 0) {
    return running.map(({job, progress}) => {
      const now = progress?.stopping?.means;
      const what = meaning(kindOf(run, job.component), job.phase);
      // What would be left at this very moment comes first: it is what decides.
      return {who: componentName(job.component), what: now === undefined ? what : `${now} ${what}`};
    });
  }
  const applied = [...run.jobs.values()].some(({job}) => job.phase === 'apply');
  const what = applied
    ? 'Nothing is running. What was applied stays; nothing more is started.'
    : 'Nothing is running, and no environment has been touched.';
  return [{who: 'release', what}];
}

/** The words that somebody types to interrupt what is stopping already; undefined where nothing that runs would hear it. */
export function forceWord(run: RunState): string | undefined {
  return secondInterrupt(run)?.force;
}

/** The same with what it costs. */
export function secondInterrupt(run: RunState): {readonly force: string; readonly costs: string} | undefined {
  return [...run.jobs.values()].flatMap(({status, progress}) => (status === 'running' ? (progress?.stopping ?? []) : [])).at(0);
}

function meaning(kind: string | undefined, phase: Phase): string {
  if (phase !== 'apply') return whileInPhase[phase];
  return whileApplying[kind ?? ''] ?? 'The call in flight is finished; nothing more is started.';
}

function kindOf(run: RunState, component: string): string | undefined {
  return run.started?.components.find(({id}) => id === component)?.kind;
}
