import * as fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {UsageError} from '../../src/release/errors.ts';
import type {AnyComponentPlan, Plan} from '../../src/release/model.ts';
import {type Flag, type Risk, flags, grave, risks} from '../../src/release/words.ts';
import {
  type Allowance,
  approvalText,
  flagsFor,
  isChange,
  missingAllowances,
  needsOf,
  parseAllowance,
  policyAnswer,
} from '../../src/release/policy.ts';
import {unattended} from '../../src/release/unattended.ts';

type ChangeOf = readonly [Risk, ...(readonly Flag[])];

/** A plan of components, each with its changes as risk and flags. */
function plan(components: Readonly<Record<string, readonly ChangeOf[]>>): Plan {
  return {
    fingerprint: 'f1f2f3f4',
    components: Object.entries(components).map(([component, changes]): AnyComponentPlan => ({
      component,
      kind: 'thing',
      from: '1.0.0',
      to: '1.1.0',
      changes: changes.map(([risk, ...flags], index) => ({
        id: `c${index}`,
        risk,
        summary: `${component} ${risk}`,
        details: [],
        flags: [...flags],
      })),
      notes: [],
      fingerprint: component,
      payload: null,
    })),
  };
}

const what = fc.constantFrom(...risks.filter(risk => risk !== 'none'), ...flags);
const anyPlan = fc
  .array(fc.tuple(fc.constantFrom('core', 'service'), fc.constantFrom(...risks), fc.subarray([...flags])), {maxLength: 5})
  .map(changes =>
    plan({
      core: changes.flatMap(([component, risk, flags]) => (component === 'core' ? [[risk, ...flags] as const] : [])),
      service: changes.flatMap(([component, risk, flags]) => (component === 'service' ? [[risk, ...flags] as const] : [])),
    }),
  );

describe('what a plan needs an approval for', () => {
  test('is every risk and every flag, once a component', () => {
    const needs = needsOf(
      plan({core: [['trigger'], ['update', 'downgrade'], ['update', 'downgrade']], service: [['update'], ['none']]}),
    );
    expect(needs).toEqual([
      {what: 'trigger', component: 'core', change: 'core trigger'},
      {what: 'update', component: 'core', change: 'core update'},
      {what: 'downgrade', component: 'core', change: 'core update'},
      {what: 'update', component: 'service', change: 'service update'},
    ]);
  });

  test('is nothing where nothing changes, but a flag on something that stays is', () => {
    expect(needsOf(plan({core: [['none']], service: []}))).toEqual([]);
    expect(needsOf(plan({core: [['none', 'unlisted']]})).map(({what}) => what)).toEqual(['unlisted']);
    expect(isChange(plan({core: [['none']], service: []}))).toBe(false);
    expect(isChange(plan({core: [['none']], service: [['create']]}))).toBe(true);
  });

  test.each(risks)('%s: grave or not, it decides what has to be typed', risk => {
    expect(approvalText(plan({core: [[risk]]}), 'production')).toBe(grave.has(risk) ? 'production' : 'yes');
  });

  test.each(flags)('%s is typed as the name of the environment, whatever the risk', flag => {
    expect(approvalText(plan({core: [['update']], service: [['update', flag]]}), 'production')).toBe('production');
  });

  test('outage, destroy, forget and all flags are grave; nothing else is', () => {
    expect([...grave]).toEqual(['outage', 'destroy', 'forget', 'downgrade', 'overwrite-tag', 'republish', 'unlisted']);
  });
});

describe('allowances', () => {
  test.each([
    ['outage', {what: 'outage'}],
    ['downgrade:grant-loader', {what: 'downgrade', component: 'grant-loader'}],
    ['none', {what: 'none'}],
  ])('%s', (text, allowance) => {
    expect(parseAllowance(text)).toEqual(allowance);
  });

  test.each(['', 'outages', 'Outage', 'outage:', ':core', 'outage:core:more', ' outage', '*'])(
    '%j is none, and the error names all there are',
    text => {
      try {
        parseAllowance(text);
        expect.unreachable();
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        expect(error.exitCode).toBe(2);
        expect(error.next.join(' ')).toContain(
          'create, update, trigger, replace, outage, forget, destroy, downgrade, overwrite-tag, republish, unlisted',
        );
      }
    },
  );

  test('one for a component lets through that component only', () => {
    const outages = plan({core: [['outage']], service: [['outage']]});
    expect(missingAllowances(outages, [{what: 'outage'}])).toEqual([]);
    expect(missingAllowances(outages, [{what: 'outage', component: 'core'}]).map(({component}) => component)).toEqual([
      'service',
    ]);
    expect(missingAllowances(outages, [{what: 'outage', component: 'cor'}])).toHaveLength(2);
  });

  test('a worse risk does not stand for a lesser one, nor a lesser for a worse', () => {
    expect(missingAllowances(plan({core: [['update']]}), [{what: 'destroy'}])).toHaveLength(1);
    expect(missingAllowances(plan({core: [['destroy']]}), [{what: 'update'}, {what: 'replace'}])).toHaveLength(1);
  });

  test('what the refusal says to type is exactly what lets the plan through', () => {
    fc.assert(
      fc.property(
        anyPlan,
        fc.array(fc.record({what, component: fc.constantFrom('core', 'service')}), {maxLength: 4}),
        (plan, given: readonly Allowance[]) => {
          const missing = missingAllowances(plan, given);
          const typed = flagsFor(missing)
            .split('--allow ')
            .flatMap(text => (text.trim() === '' ? [] : [parseAllowance(text.trim())]));
          expect(typed).toHaveLength(missing.length);
          expect(missingAllowances(plan, [...given, ...typed])).toEqual([]);
          // And nothing less does.
          for (const left of typed)
            expect(missingAllowances(plan, [...given, ...typed.filter(one => one !== left)])).toHaveLength(1);
        },
      ),
    );
  });
});

describe('the answer of policy', () => {
  const outage = plan({core: [['outage'], ['update']], service: [['update', 'downgrade']]});

  test('is the exact text when everything is allowed, and says by what', () => {
    const allowed = [{what: 'outage'}, {what: 'update'}, {what: 'downgrade', component: 'service'}] as const;
    expect(policyAnswer(outage, allowed, 'production', 'production')).toEqual({
      value: 'production',
      by: 'policy',
      because: 'allowed: outage, update, downgrade',
    });
  });

  test('is empty when anything is missing, and names the flags and the line of the config file that would allow it', () => {
    const answer = policyAnswer(outage, [{what: 'update'}], 'production', 'production');
    expect(answer).toEqual({
      value: '',
      by: 'policy',
      because:
        'policy does not allow outage (core: core outage); downgrade (service: service update). Allow it with: --allow outage:core --allow downgrade:service; or add outage, downgrade to environments.production.policy.allow in the config file',
    });
  });
});

describe('nobody there (--yes)', () => {
  const change = plan({core: [['update']]});
  const ask = (shown: Plan | undefined, fingerprint: string, allowances: readonly Allowance[] = [{what: 'update'}]) => {
    const {operator, show} = unattended(allowances);
    if (shown) show({type: 'plan.ready', plan: shown});
    return operator.ask({id: 'q1', about: 'approval', expect: 'yes', fingerprint, again: false}, new AbortController().signal);
  };

  test('approves the plan that was shown last, and no other', async () => {
    expect(await ask(change, change.fingerprint)).toMatchObject({value: 'yes', by: 'policy'});
    expect(await ask(change, 'another')).toEqual({value: '', by: 'policy', because: 'this plan was never shown'});
    expect(await ask(undefined, change.fingerprint)).toMatchObject({value: ''});
  });

  test('does not approve what is not allowed', async () => {
    const answer = await ask(change, change.fingerprint, []);
    expect(answer.value).toBe('');
    expect(answer.because).toContain('--allow update:core');
  });

  test('starts phases; never tries again, never sends twice', async () => {
    const {operator} = unattended([]);
    const job = {component: 'core', phase: 'apply'} as const;
    const signal = new AbortController().signal;
    expect(await operator.ask({id: 'q', about: 'start', phase: 'bump', work: []}, signal)).toMatchObject({
      value: 'go',
      because: '--yes',
    });
    expect(await operator.ask({id: 'q', about: 'preflight', failed: []}, signal)).toMatchObject({value: 'stop'});
    expect(
      await operator.ask({id: 'q', about: 'failure', job, trouble: {what: 'x'}, choices: ['retry', 'leave']}, signal),
    ).toMatchObject({value: 'leave'});
    const unknown = {id: 'q', about: 'unknown step', job, step: 'publish', text: 'x', happened: true} as const;
    expect(await operator.ask(unknown, signal)).toMatchObject({value: 'leave'});
  });

  test('--allow republish sends a message again, and does nothing else twice of which it cannot be told whether it happened', async () => {
    const job = {component: 'core', phase: 'apply'} as const;
    const again = async (component: string | undefined, more: {happened?: true}) => {
      const allowance: Allowance = {what: 'republish', ...(component !== undefined && {component})};
      const question = {id: 'q', about: 'unknown step', job, step: 'x', text: 'x', ...more} as const;
      const {value} = await unattended([allowance]).operator.ask(question, new AbortController().signal);
      return value === 'again';
    };
    expect(await again(undefined, {happened: true})).toBe(true);
    expect(await again('core', {happened: true})).toBe(true);
    expect(await again('service', {happened: true})).toBe(false);
    // A Terraform apply that could not be looked at, say.
    expect(await again(undefined, {})).toBe(false);
  });
});
