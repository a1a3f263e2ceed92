/** The stations of the rail: the form's steps, then the phases of the run. */
import type {Question} from '../../../release/events.ts';
import {formSteps} from '../../../release/form.ts';
import {jobId, type Phase, phases} from '../../../release/words.ts';
import type {RunState} from '../../../release/reducer.ts';
import {isAsking} from './form.ts';
import {phaseReached} from './mode.ts';
import type {Model} from './model.ts';

export interface Stage {
  readonly name: string;
  readonly is: 'done' | 'here' | 'open' | 'nothing' | 'failed';
}

/** The stations of where the operator is: the form's and the first ones of the run, or the run's alone. */
export function stagesOf(model: Model): readonly Stage[] {
  const {form, run} = model;
  if (!isAsking(form)) return phases.map(phase => ({name: phase, is: stateOfPhase(model, phase)}));
  const {step} = form.state;
  const here = step === 'done' ? formSteps.length : formSteps.indexOf(step);
  const steps = formSteps.map((name, index): Stage => {
    if (index === here) return {name, is: 'here'};
    return {name, is: form.state.given.has(name) || index < here ? 'done' : 'open'};
  });
  return [...steps, ...phases.map((phase): Stage => ({name: phase, is: run.started ? stateOfPhase(model, phase) : 'open'}))];
}

function stateOfPhase(model: Model, phase: Phase): Stage['is'] {
  const {run, asks} = model;
  if (phase === 'confirm') return stateOfConfirm(model);
  const jobs = [...run.jobs.values()].filter(({job}) => job.phase === phase);
  if (jobs.some(job => job.status === 'failed')) return 'failed';
  if (asks.some(ask => phaseOfQuestion(ask) === phase)) return 'here';
  const reached = phases.indexOf(phaseReached(model) ?? 'preflight');
  if (jobs.length === 0) return isBehind(run, phase, reached) ? 'nothing' : 'open';
  if (jobs.some(job => job.status === 'running')) return 'here';
  if (!isThrough(run, phase)) return 'here';
  return jobs.every(job => job.status === 'skipped') ? 'nothing' : 'done';
}

function stateOfConfirm({run, asks}: Model): Stage['is'] {
  if (asks.some(ask => ask.about === 'approval')) return 'here';
  if (run.approval === undefined) return 'open';
  return run.approval.type === 'approval.given' ? 'done' : 'failed';
}

function isBehind(run: RunState, phase: Phase, reached: number): boolean {
  return run.started !== undefined && phases.indexOf(phase) < reached;
}

/** Components pass apply and verify one by one, and some pass by: those phases end with the last component. */
function isThrough({started, finished, jobs}: RunState, phase: Phase): boolean {
  if ((phase !== 'apply' && phase !== 'verify') || finished !== undefined) return true;
  return (started?.components ?? []).every(({id: component}) => {
    const applied = jobs.get(jobId({component, phase: 'apply'}))?.status;
    const verified = jobs.get(jobId({component, phase: 'verify'}))?.status;
    if (phase === 'apply') return applied !== undefined || verified !== undefined;
    return verified !== undefined || applied === 'failed' || applied === 'skipped';
  });
}

function phaseOfQuestion(question: Question): Phase {
  switch (question.about) {
    case 'start':
      return question.phase;
    case 'preflight':
      return 'preflight';
    case 'approval':
      return 'confirm';
    case 'failure':
    case 'unknown step':
      return question.job.phase;
  }
}
