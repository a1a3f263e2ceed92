/** Which run an audit is about. */
import {expect, onTestFinished, test} from 'vitest';
import {findAudited} from '../../src/commands/audit/find.ts';
import {fileStore} from '../../src/record/file-store.ts';
import type {EventOf} from '../../src/release/events.ts';
import {folder} from '../record/support/places.ts';
import {testRelease} from '../support/world.ts';

test('without a version it is about what the last change left, were it a failure; one that was taken back left nothing', async () => {
  let now = Date.UTC(2026, 0, 15, 12);
  const store = fileStore(await folder(), {now: () => (now += 60_000)});
  const good = (await testRelease({service: {}}).go()).events;
  const record = async (version: string, end: Partial<EventOf<'run.finished'>>) => {
    const {run, writer} = await store.create('production', version);
    onTestFinished(() => writer.close());
    for (const event of good) {
      if (event.type === 'run.started') await writer.append({...event, run, version});
      else await writer.append(event.type === 'run.finished' ? {...event, ...end} : event);
    }
    return run;
  };
  const audited = async (version?: string) => {
    const found = await findAudited(store, 'production', version);
    return 'audited' in found ? found.audited.run : undefined;
  };

  const passed = await record('1.0.0', {});
  expect(await audited()).toBe(passed);
  const failed = await record('1.1.0', {outcome: 'failed'});
  expect(await audited()).toBe(failed);
  expect(await audited('1.0.0')).toBe(passed);
  await record('1.2.0', {outcome: 'refused', touched: false});
  expect(await audited()).toBe(failed);
  const again = await record('1.1.0', {});
  await record('1.3.0', {outcome: 'rolled back'});
  expect(await audited()).toBe(again);
});
