import {describe, expect, test} from 'vitest';
import {z} from 'zod';
import {type ComponentKind, type JobIo, bind, createStop, step} from '../../src/release/contract.ts';
import {DeployError, RefusedError, toTrouble} from '../../src/release/errors.ts';
import {worse, risks} from '../../src/release/words.ts';

describe('asking a run to stop', () => {
  test('the first command counts; later ones change nothing', () => {
    const stop = createStop();
    expect([stop.signal.aborted, stop.command()]).toEqual([false, undefined]);
    stop.request({do: 'detach', by: 'operator'});
    stop.request({do: 'stop', by: 'SIGTERM'});
    expect([stop.signal.aborted, stop.command()]).toEqual([true, {do: 'detach', by: 'operator'}]);
  });

  test('a second interrupt is for what is stopping: nothing else is interrupted, and nothing is stopped by it', () => {
    const stop = createStop();
    stop.request({do: 'interrupt', by: 'operator'});
    expect([stop.signal.aborted, stop.forced.aborted, stop.command()]).toEqual([false, false, undefined]);
    stop.request({do: 'stop', by: 'operator'});
    expect(stop.forced.aborted).toBe(false);
    stop.request({do: 'interrupt', by: 'operator'});
    expect([stop.forced.aborted, stop.command()]).toEqual([true, {do: 'stop', by: 'operator'}]);

    const left = createStop();
    left.request({do: 'detach', by: 'operator'});
    left.request({do: 'interrupt', by: 'operator'});
    expect(left.forced.aborted).toBe(false);
  });
});

describe('a step', () => {
  const io = {log: () => undefined};
  const seen: string[] = [];
  const edit = step({
    id: 'edit',
    phase: 'bump',
    title: 'edit it',
    requestSchema: z.object({path: z.string()}),
    resultSchema: z.object({done: z.boolean()}),
    request: async () => ({path: 'a'}),
    perform: async (_io: typeof io, {path}) => {
      seen.push(`perform ${path}`);
      return {done: true};
    },
    settle: async (_io, {path}) => {
      seen.push(`settle ${path}`);
      return 'absent';
    },
    undo: async (_io, {path}) => void seen.push(`undo ${path}`),
    tell: ({done}) => (done ? 'edited' : 'not edited'),
    byHand: () => ({commands: [['vi', 'a']]}),
  });

  test('works on what a record holds', async () => {
    expect(await edit.perform(io, {path: 'a'})).toEqual({done: true});
    expect(await edit.settle(io, {path: 'a'})).toBe('absent');
    await edit.undo?.(io, {path: 'a'}, {done: true});
    expect(edit.tell({done: true})).toBe('edited');
    expect(seen).toEqual(['perform a', 'settle a', 'undo a']);
  });

  test('does nothing with a request or a result that is none of its own', async () => {
    seen.length = 0;
    for (const request of [null, {}, {path: 5}]) {
      await expect(async () => edit.perform(io, request)).rejects.toThrow(z.ZodError);
      await expect(async () => edit.settle(io, request)).rejects.toThrow(z.ZodError);
      await expect(async () => edit.undo?.(io, request, {done: true})).rejects.toThrow(z.ZodError);
    }
    expect(() => edit.tell({})).toThrow(z.ZodError);
    expect(seen).toEqual([]);
  });
});

describe('a component', () => {
  const config = z.object({kind: z.literal('thing'), needs: z.array(z.string()).optional(), size: z.number()});
  const states: unknown[] = [];
  const kind: ComponentKind<z.infer<typeof config>, {version: string}, {size: number}, JobIo> = {
    kind: 'thing',
    revert: 'auto',
    config,
    state: z.object({version: z.string()}),
    payload: z.object({size: z.number()}),
    requirements: (_component, target) => {
      states.push(target);
      return [];
    },
    observe: async () => undefined,
    prepare: async () => [],
    plan: async () => {
      throw new Error('not here');
    },
    recheck: async () => undefined,
    steps: (_component, {payload}) => {
      states.push(payload);
      return [];
    },
    claims: () => [],
    check: async () => {
      throw new Error('not here');
    },
  };

  test('is its config, checked, with its id and its needs', () => {
    expect(bind(kind, 'core', {kind: 'thing', size: 1, needs: ['a']})).toMatchObject({id: 'core', kind: 'thing', needs: ['a']});
    expect(bind(kind, 'core', {kind: 'thing', size: 1}).needs).toEqual([]);
    expect(() => bind(kind, 'core', {kind: 'thing', size: 'big'})).toThrow(z.ZodError);
  });

  test('checks what comes back from a record before it gets to its kind', () => {
    const component = bind(kind, 'core', {kind: 'thing', size: 1});
    const plan = {
      component: 'core',
      kind: 'thing',
      to: '1.0.0',
      changes: [],
      notes: [],
      fingerprint: 'f',
      payload: {size: 1, more: true},
    };
    component.requirements({is: 'state', version: '1.0.0', state: {version: '1.0.0', more: true}});
    component.steps(plan);
    expect(states).toEqual([{is: 'state', version: '1.0.0', state: {version: '1.0.0'}}, {size: 1}]);
    expect(() => component.requirements({is: 'state', version: '1.0.0', state: null})).toThrow(z.ZodError);
    expect(() => component.steps({...plan, payload: {}})).toThrow(z.ZodError);
  });
});

describe('an error as somebody reads it', () => {
  test('has what happened, and the rest where there is any', () => {
    expect(toTrouble(new RefusedError('no', {means: 'Nothing was started.', next: ['ask']}).also('again'))).toEqual({
      what: 'no',
      means: 'Nothing was started.',
      next: ['ask', 'again'],
      code: 'DW300',
    });
    expect(toTrouble(new DeployError('it broke'))).toEqual({what: 'it broke'});
    expect(toTrouble(new TypeError('x'))).toEqual({what: 'x'});
    expect(toTrouble(5)).toEqual({what: '5'});
  });
});

test('of two risks the worse one', () => {
  for (const [a, one] of risks.entries())
    for (const [b, other] of risks.entries()) expect(worse(one, other)).toBe(risks[Math.max(a, b)]);
});
