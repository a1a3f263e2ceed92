import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {fileStore} from '../../src/record/file-store.ts';
import {pastDowntimes} from '../../src/record/past-downtimes.ts';
import type {ComponentEnd} from '../../src/release/model.ts';
import {testRelease} from '../support/world.ts';

test('what was measured and went well is remembered by component, newest first; what failed says nothing', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'dw-past-'));
  onTestFinished(() => rm(root, {recursive: true, force: true}));
  let now = Date.UTC(2026, 0, 15, 12);
  const store = fileStore(root, {now: () => (now += 1000)});
  const {events} = await testRelease({service: {}}).go();
  const released = async (ms: number | undefined, end: ComponentEnd['end'] = 'verified') => {
    now += 60_000;
    const {writer} = await store.create('production', '1.14.0');
    for (const event of events) {
      const told = {
        component: 'service',
        kind: 'thing',
        to: '1.14.0',
        end,
        note: '',
        ...(ms !== undefined && {downtime: {ms, probes: 'x'}}),
      };
      await writer.append(event.type === 'run.finished' ? {...event, components: [told]} : event);
    }
    await writer.close();
  };
  await released(110_000);
  await released(undefined);
  await released(9_000_000, 'failed');
  await released(124_000);

  expect(await pastDowntimes(store, 'production')).toEqual(new Map([['service', [124_000, 110_000]]]));
  expect(await pastDowntimes(store, 'staging')).toEqual(new Map());
});
