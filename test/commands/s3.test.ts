/** A team whose records are in S3: every command on a machine of its own, with nothing in common but the bucket. */
import {cp, mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, onTestFinished, test} from 'vitest';
import {adoptCommand} from '../../src/commands/adopt.ts';
import {auditCommand} from '../../src/commands/audit.ts';
import {logCommand} from '../../src/commands/log.ts';
import {releaseCommand} from '../../src/commands/release.ts';
import {resumeCommand} from '../../src/commands/resume.ts';
import {rollbackCommand} from '../../src/commands/rollback.ts';
import {statusCommand} from '../../src/commands/status.ts';
import {tickCommand} from '../../src/commands/tick.ts';
import type {Context} from '../../src/commands/context.ts';
import {takeLock} from '../../src/record/lock.ts';
import {openMedium} from '../../src/record/open.ts';
import {DeployError} from '../../src/release/errors.ts';
import {missing} from '../emulator/tools.ts';
import {bucket, useMoto} from '../record/support/moto-s3.ts';
import {moto} from '../support/moto.ts';
import {type Pass, type PassConfig, before, keepOnly, released, startPass, topicArn} from '../support/pass.ts';
import {type Desk, deskAt, speed, unattended} from './support/desk.ts';

const store = `s3://${bucket}/pass`;
const checklist = [{id: 'acceptance', when: 'after', text: 'Acceptance tests run'}];
const resuming = {yes: true, output: 'auto', tui: true, maxParallel: 4, allow: []} as const;

interface Said {
  readonly exitCode: number;
  readonly said: string;
}

describe.skipIf(missing(moto))('a store in S3', {timeout: 60_000}, () => {
  const moto = useMoto();

  /** PASS with staging before production, each in a world of its own. */
  const environmentsOf = async () => {
    const config = (config: PassConfig) => {
      const {production} = config.environments;
      config.environments = {
        staging: {...production},
        production: {...production, requires: [{env: 'staging', ticks: ['acceptance']}]},
      };
      Object.assign(config, {store, checklist});
      keepOnly(config, 'pass-core', 'deposit-services', 'grant-loader');
    };
    const env = {AWS_ENDPOINT_URL_S3: moto.url};
    return {staging: await startPass({speed, config, env}), production: await startPass({speed, config, env})};
  };

  const {clock} = deskAt({folder: '/', env: {}}).context;
  /** A machine that has the config file and nothing else. */
  const machine = async ({folder, env}: Pass, host: string, more: Partial<Context> = {}): Promise<Desk> => {
    const own = await mkdtemp(join(tmpdir(), 'dw-machine-'));
    onTestFinished(() => rm(own, {recursive: true, force: true}));
    await cp(folder, join(own, 'checkout'), {recursive: true});
    const place = {folder: join(own, 'checkout'), env: {...env, HOME: own, XDG_STATE_HOME: join(own, 'state')}};
    return deskAt(place, {clock, host, ...more});
  };
  const said = async (desk: Desk, command: (context: Context) => Promise<number>): Promise<Said> => {
    try {
      const exitCode = await command(desk.context);
      return {exitCode, said: `${desk.stdout()}\n${desk.stderr()}`};
    } catch (error) {
      if (!(error instanceof DeployError)) throw error;
      return {exitCode: error.exitCode, said: [error.message, ...error.next].join('\n')};
    }
  };

  test('promotes, locks, goes on, audits and goes back, each on another machine', async () => {
    const {staging, production} = await environmentsOf();
    const on = async (pass: Pass, host: string, command: (context: Context) => Promise<number>, more: Partial<Context> = {}) =>
      said(await machine(pass, host, more), command);
    const adopting = {yes: true, reason: 'as it runs'};
    for (const [env, pass] of Object.entries({staging, production}))
      expect(await on(pass, 'desk', context => adoptCommand(context, {...adopting, env}))).toMatchObject({exitCode: 0});

    // Production waits for staging, and for what is ticked there.
    const release = (env: string) => (context: Context) => releaseCommand(context, unattended({env}));
    const early = await on(production, 'ci-1', release('production'));
    expect(early).toMatchObject({exitCode: 3, said: expect.stringContaining(`${released} was never released to staging`)});
    expect(await on(staging, 'ci-2', release('staging'))).toMatchObject({exitCode: 0});
    expect(await on(production, 'ci-3', release('production'))).toMatchObject({
      exitCode: 3,
      said: expect.stringContaining('acceptance is not ticked in staging'),
    });
    const tick = (env: string) => (context: Context) => tickCommand(context, 'acceptance', {env, note: 'all green'});
    expect(await on(staging, 'desk', tick('staging'))).toMatchObject({exitCode: 0});

    // One machine at a time.
    const opening = {env: production.env, from: '/', logs: '/', sleep: () => Promise.resolve()};
    const cell = (await openMedium(store, opening)).cell('production');
    const ann = {user: 'ann', host: 'ci-4', pid: process.pid, work: 'release 2.0.0', since: '2026-01-15T12:00:00.000Z'};
    const lock = await takeLock(cell, ann, {environment: 'production'});
    expect(await on(production, 'ci-5', release('production'))).toMatchObject({
      exitCode: 4,
      said: expect.stringContaining('production is locked by ann on ci-4'),
    });
    await lock.release();

    // Interrupted on one machine, gone on with on another.
    let interrupt: ((signal: 'SIGINT') => void) | undefined;
    const onSignal: Context['onSignal'] = listener => {
      interrupt = listener;
      return () => undefined;
    };
    production.world.onPublish(topicArn('pass-deploy'), () => interrupt?.('SIGINT'));
    expect(await on(production, 'ci-6', release('production'), {onSignal})).toMatchObject({exitCode: 130});
    interrupt = undefined;
    const resume = (context: Context) => resumeCommand(context, undefined, {...resuming, env: 'production'});
    expect(await on(production, 'ci-7', resume)).toMatchObject({
      exitCode: 0,
      said: expect.stringContaining(`3 of 3 components on ${released}`),
    });
    expect(production.messages()).toHaveLength(1);

    // Everybody sees the same of it.
    expect(await on(production, 'desk', tick('production'))).toMatchObject({exitCode: 0});
    const audit = (context: Context) => auditCommand(context, released, {env: 'production'});
    const proof = await on(production, 'auditor', audit);
    expect(proof).toMatchObject({exitCode: 0, said: expect.stringContaining('Everything is as the record says.')});
    expect(proof.said).toContain(`aws s3 cp --recursive ${store}/production/`);
    expect(await on(production, 'anywhere', context => statusCommand(context, {live: false, output: 'auto'}))).toMatchObject({
      said: expect.stringMatching(new RegExp(`^pass +staging +production\npass-core +${released} \\w{8} +${released} `)),
    });
    const log = await on(production, 'anywhere', context => logCommand(context, {env: 'production', number: 9, output: 'auto'}));
    expect(log.said).toMatch(new RegExp(`${released} +release +passed[^]*${before} +adopt +passed`));

    // Staging goes back, and promotion is shut again; production goes back as well.
    const back = (env: string) => (context: Context) =>
      rollbackCommand(context, {...unattended({env, allow: ['trigger:pass-core']}), tui: true});
    expect(await on(staging, 'ci-8', back('staging'))).toMatchObject({exitCode: 0});
    expect(await on(production, 'auditor', audit)).toMatchObject({
      exitCode: 5,
      said: expect.stringContaining(`staging was taken back from ${released} to ${before} since`),
    });
    expect(await on(production, 'ci-9', back('production'))).toMatchObject({exitCode: 0});
    expect(await on(production, 'ci-10', release('production'))).toMatchObject({
      exitCode: 3,
      said: expect.stringContaining(`staging was taken back from ${released} to ${before} since`),
    });
    const audited = await on(production, 'auditor', context => auditCommand(context, undefined, {env: 'production'}));
    expect(audited.said).toContain(`pass ${before} → production`);
    expect(audited.exitCode, audited.said).toBe(0);
  });
});
