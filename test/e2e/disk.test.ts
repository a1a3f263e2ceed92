/** A disk that fills up in the middle of a release, and one that nothing can be written to. Real ones: file systems of their own. */
import {mkdir, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {execa} from 'execa';
import {describe, expect, onTestFinished, test} from 'vitest';
import {exitCodes} from '../../src/release/errors.ts';
import {environment, released, startPass} from '../support/pass.ts';
import {eventsOf, untilRecorded} from '../support/program.ts';
import {seedWhole, wholeConfig, wholeOn, wholeStanding} from '../support/whole-pass.ts';

/** Mounting takes root, and a system that lets it. */
const mounts = await (async () => {
  const folder = join(tmpdir(), `dw-mount-${process.pid}`);
  await mkdir(folder);
  const {failed} = await execa('mount', ['-t', 'tmpfs', 'tmpfs', folder], {reject: false});
  if (!failed) await execa('umount', [folder]);
  await rm(folder, {recursive: true});
  return !failed;
})();

/** PASS whose records are on a disk of so many KiB. */
async function passOnDisk(sizeKiB: number) {
  const pass = await startPass({config: wholeConfig()});
  seedWhole(pass);
  const {XDG_STATE_HOME: disk = ''} = pass.env;
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${sizeKiB}k`, 'tmpfs', disk]);
  onTestFinished(() => void execa('umount', ['--lazy', disk]));
  return {pass, disk};
}

describe.skipIf(!mounts)(`the disk of the records${mounts ? '' : ' [skipped: nothing can be mounted here]'}`, () => {
  test('is full in the middle: the release stops and says so; with room again, it goes on to the same end', async () => {
    const {pass, disk} = await passOnDisk(1024);
    // It waits there, until the disk is full.
    pass.world.fail({action: 'UpdateService', kind: 'throttle', times: 2});
    const running = pass.start('--yes', '--env', environment, '--release', released);
    await untilRecorded(
      pass.records,
      'the move of a service',
      event => event.type === 'intent' && event.step === 'update-service',
    );
    await writeFile(join(disk, 'ballast'), Buffer.alloc(2 ** 21)).catch(() => undefined);

    const ended = await running.ended;
    expect(ended.exitCode).toBe(exitCodes.unknown);
    expect(ended.stderr).toContain('the record cannot be written: ENOSPC');
    expect(ended.stderr).toContain('What cannot be recorded is not begun.');

    await rm(join(disk, 'ballast'));
    expect(await pass.run('resume', '--yes', '--env', environment)).toMatchObject({exitCode: 0});
    expect(await wholeStanding(pass)).toEqual(wholeOn(2));
    expect(pass.messages()).toHaveLength(1);
    expect(eventsOf(await pass.record(), 'run.resumed')).toHaveLength(1);
    expect(await pass.run('audit', released, '--env', environment)).toMatchObject({exitCode: 0});
  });

  test('is read-only: nothing is begun', async () => {
    const {pass, disk} = await passOnDisk(64);
    await mkdir(join(pass.records.root, environment), {recursive: true});
    await execa('mount', ['-o', 'remount,ro', disk]);
    const ended = await pass.release();
    expect(ended).toMatchObject({exitCode: 1, stderr: expect.stringMatching(/no record can be kept in .*EROFS/)});
    expect(ended.stderr).toContain('Nothing was started.');
    expect(pass.calls).toEqual([]);
  });
});
