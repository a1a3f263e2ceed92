import {existsSync, readFileSync} from 'node:fs';
import {readFile, rm} from 'node:fs/promises';
import {createServer} from 'node:http';
import {join} from 'node:path';
import {expect, onTestFinished, test, vi} from 'vitest';
import {z} from 'zod';
import type {Step} from '../../../src/release/contract.ts';
import type {Io} from '../../../src/components/io.ts';
import {noResults} from '../../../src/release/contract.ts';
import {StoppedError, exitCodes} from '../../../src/release/errors.ts';
import {isRunning} from '../../../src/tools/process-identity.ts';
import {type HttpState, httpState} from '../../tools/terraform/http-state.ts';
import {terraform, until, withTerraform} from '../../tools/terraform/support.ts';
import {type Project, type ProjectOptions, project} from './support.ts';

// Several processes of Terraform a test, on a machine that may have other things to do.
vi.setConfig({testTimeout: 30_000});

/** An instance that takes as long to start as the file `hold` is there, and answers its version in the file `version`. */
const instance = `variable "image_tag" {
  type = string
}
resource "terraform_data" "first" {
  input = var.image_tag
}
resource "terraform_data" "instance" {
  triggers_replace = [var.image_tag]
  depends_on       = [terraform_data.first]
  provisioner "local-exec" {
    command = "rm -f version; while test -e hold; do touch held; sleep 0.05; done; echo \${var.image_tag} > version"
  }
}
`;
const settings = {set: {image_tag: '${version}'}};
const files = {'ci/main.tf': instance, 'ci/terraform.tfvars': 'image_tag = "0.7.1"\n'};

async function deployed(more: Partial<ProjectOptions> = {}): Promise<Project> {
  const app = await project({files, settings, ...more});
  await terraform(app.path('ci'), 'init');
  await terraform(app.path('ci'), 'apply', '-auto-approve');
  return app;
}

/** The steps of a new plan by id, with the edit of tfvars done: what is left is the apply. */
async function readyToApply(app: Project) {
  const plan = await app.plan();
  const [tfvars, apply] = app.component.steps(plan);
  if (tfvars === undefined || apply === undefined) throw new Error('A plan has two steps.');
  await tfvars.perform(app.io, await tfvars.request(app.io, noResults));
  return {plan, apply};
}

/** Where the apply of a request speaks to its supervisor. */
const folderOf = (request: unknown) => z.object({folder: z.string()}).parse(request).folder;

/** Begins the apply, and waits until the instance is held. */
async function begun(app: Project, apply: Step<Io>) {
  await app.write('ci/hold', '');
  const request = await apply.request(app.io, noResults);
  const performing = apply.perform(app.io, request).catch((error: unknown) => error);
  await until(() => existsSync(app.path('ci/held')) || undefined, 'the new instance');
  return {request, performing, letGo: () => rm(app.path('ci/hold'))};
}

/** Kills somebody by force, and waits until it is gone. */
async function kill(file: string): Promise<void> {
  const {pid} = z.object({pid: z.number()}).parse(JSON.parse(readFileSync(file, 'utf8')));
  process.kill(pid, 'SIGKILL');
  await until(() => !isRunning({pid}) || undefined, 'its end');
}

withTerraform('An apply that nobody saw the end of', () => {
  test('is done when a new plan shows nothing left to do', async () => {
    const app = await deployed();
    const {plan, apply} = await readyToApply(app);
    const {request, performing, letGo} = await begun(app, apply);
    await kill(join(folderOf(request), 'claim'));
    await letGo();
    expect(await performing).toMatchObject({exitCode: exitCodes.unknown});

    const settled = await apply.settle(app.io, request);
    expect(settled).toMatchObject({done: {looked: true}});
    expect(apply.tell('done' in Object(settled) ? Object(settled).done : null)).toBe(
      'nobody saw the apply end; a new plan shows nothing left to do',
    );
    expect((await app.prove(plan))['settled']).toMatchObject({status: 'passed', found: 'no changes'});
  });

  test('has failed when something is left, which is named; and it can be planned anew', async () => {
    const app = await deployed();
    const {apply} = await readyToApply(app);
    const {request, performing, letGo} = await begun(app, apply);
    const folder = folderOf(request);
    await kill(join(folder, 'claim'));
    await kill(join(folder, 'pid.json'));
    await letGo();
    await performing;

    expect(await apply.settle(app.io, request)).toMatchObject({
      failed: {
        final: true,
        message: expect.stringMatching(/A new plan shows what is left to do: terraform_data\.instance is (created|destroyed)/),
        means: expect.stringContaining('Destroyed, and not created anew: terraform_data.instance. What that did is down.'),
        next: expect.arrayContaining([expect.stringContaining('terraform.tfvars: image_tag = 0.7.2; not committed yet')]),
      },
    });
    await app.apply(await app.plan());
    expect((await readFile(app.path('ci/version'), 'utf8')).trim()).toBe('0.7.2');
  });
});

withTerraform('A lock that somebody holds', () => {
  async function withHttpState(): Promise<{app: Project; state: HttpState}> {
    const state = await httpState();
    const backend = `terraform {\n  backend "http" {\n${state.settings}  }\n}\n`;
    return {
      state,
      app: await deployed({files: {...files, 'ci/backend.tf': backend}, settings: {...settings, lockTimeout: '1s'}}),
    };
  }

  test('ends the apply with exit code 4; the same plan may wait once more', async () => {
    const {app, state} = await withHttpState();
    const {plan, apply} = await readyToApply(app);
    state.lock('jo@build');
    const first = await apply.request(app.io, noResults);
    const error: unknown = await apply.perform(app.io, first).catch((error: unknown) => error);
    expect(error).toMatchObject({
      exitCode: exitCodes.locked,
      final: false,
      message: 'The Terraform state is locked (lock 11111111-2222-3333-4444-555555555555).',
      means: expect.stringContaining('Nothing was changed.'),
      next: expect.arrayContaining([expect.stringContaining('Trying again waits for the lock with the same plan.')]),
    });

    state.unlock();
    const again = await apply.request(app.io, noResults);
    expect(again).not.toEqual(first);
    expect(await apply.perform(app.io, again)).toMatchObject({add: 1, change: 1, remove: 1});
    // Whoever proves or audits it looks without the lock, which a colleague may have by now.
    state.lock('jo@build');
    expect((await app.prove(plan))['settled']).toMatchObject({status: 'passed'});
    state.unlock();
    // Once it was begun, no second time.
    const third = await apply.request(app.io, noResults);
    await expect(apply.perform(app.io, third)).rejects.toThrow('was started before');
  });
});

withTerraform('Interrupts', () => {
  async function savingSlowly(forced?: AbortSignal) {
    const state = await httpState();
    const backend = `terraform {\n  backend "http" {\n${state.settings}  }\n}\n`;
    const app = await deployed({files: {...files, 'ci/backend.tf': backend}, ...(forced && {forced})});
    const {apply} = await readyToApply(app);
    return {state, app, ...(await begun(app, apply))};
  }

  test('what does not end long after the time limit is left to itself, and can be gone on with', {timeout: 30_000}, async () => {
    const {state, app, request, performing, letGo} = await savingSlowly();
    state.hold();
    app.stop('time limit');
    await until(() => state.isHeld() || undefined, 'the state on its way');
    app.leave();
    expect(await performing).toBeInstanceOf(StoppedError);
    const {pid} = z.object({pid: z.number()}).parse(JSON.parse(readFileSync(join(folderOf(request), 'claim'), 'utf8')));
    expect(isRunning({pid})).toBe(true);
    state.letGo();
    await letGo();
    await until(() => !isRunning({pid}) || undefined, 'its end');
  });

  test(
    'the second one is sent when somebody has typed what it costs, and the state stays locked',
    {timeout: 30_000},
    async () => {
      const forced = new AbortController();
      const {state, app, performing, letGo} = await savingSlowly(forced.signal);
      state.hold();
      app.stop();
      await until(() => state.isHeld() || undefined, 'the state on its way');
      forced.abort();
      expect(await performing).toMatchObject({
        message: 'Terraform was interrupted twice, and exited at once.',
        means: expect.stringContaining('the state is probably still locked'),
        final: true,
      });
      expect(state.isLocked()).toBe(true);
      expect(app.log()).toEqual(
        expect.arrayContaining([
          expect.stringContaining('Interrupted once'),
          expect.stringContaining('Interrupted a second time'),
        ]),
      );
      await letGo();
    },
  );
});

withTerraform('The downtime', () => {
  /** Answers what the file `version` says; nothing while there is none. */
  async function serve(file: () => string): Promise<string> {
    const server = createServer((_request, response) => {
      const there = existsSync(file());
      response.writeHead(there ? 200 : 503).end(there ? readFileSync(file(), 'utf8') : '');
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`;
  }

  test(
    'is probed from before the apply until the new version answers, and held against its limit',
    {timeout: 20_000},
    async () => {
      let app: Project | undefined;
      const http = await serve(() => app?.path('ci/version') ?? '');
      const verify = {http, expect: '${version}', within: '10s', maxDowntime: '1m'};
      const policy = {maxDowntime: '1s'};
      app = await deployed({settings: {...settings, verify}, policy, lastDowntimes: [110_000, 124_000, 120_000, 1]});
      const {plan, apply} = await readyToApply(app);
      const forecast = '~2 m 0 s, last 3: 1 m 50 s, 2 m 4 s, 2 m 0 s';
      expect(plan.notes).toEqual(
        expect.arrayContaining([
          `goes down: terraform_data.instance; ${forecast}`,
          'that is longer than `maxDowntime` (1 s) allows',
          expect.stringMatching(/^terraform_data\.instance would be created first.*lifecycle \{ create_before_destroy = true \}/),
        ]),
      );
      expect(plan.changes.find(({risk}) => risk === 'outage')?.details.at(-1)).toEqual({
        name: 'outage',
        before: null,
        after: forecast,
      });

      const {performing, letGo} = await begun(app, apply);
      await until(() => (app?.io.meter.read()?.probes ?? '').endsWith('xx') || undefined, 'two probes without an answer');
      expect((await app.prove(plan))['http']).toMatchObject({status: 'pending', downtime: {ms: expect.any(Number)}});
      await letGo();
      await performing;

      const checks = await app.prove(plan);
      expect(checks['http']).toMatchObject({status: 'passed', downtime: {probes: expect.stringMatching(/^=+x{2,}/)}});
      expect(checks['http']?.downtime?.ms).toBeGreaterThan(900);
      expect(checks['downtime']).toMatchObject({
        status: 'failed',
        found: expect.stringMatching(/^it was down for \d+ s, which is longer than 1 s$/),
      });
      expect(app.io.meter.running).toBe(false);
    },
  );

  test('of another process is not guessed', async () => {
    const app = await deployed({settings: {...settings, verify: {http: 'http://127.0.0.1:1/', within: '1s', maxDowntime: '1s'}}});
    const plan = await app.plan();
    expect(plan.notes).toContain('goes down: terraform_data.instance; for how long is not known: nothing was measured here yet');
    expect((await app.prove(plan))['downtime']).toMatchObject({status: 'open', found: 'it was not measured by this process'});
  });
});

withTerraform('Secrets', () => {
  test('are hidden in the words of a plan that fails, wherever they come from', async () => {
    const guarded = `variable "from_file" {
  type      = string
  sensitive = true
}
variable "nested" {
  sensitive = true
}
variable "from_env" {
  type      = string
  sensitive = true
}
variable "earlier" {
  type      = string
  sensitive = true
  default   = "hunter2-earlier"
}
variable "from_config" {
  type      = string
  sensitive = true
  default   = "hunter2-default"
}
variable "from_default" {
  type      = string
  sensitive = true
  default   = "hunter2-default"
}
resource "terraform_data" "keeps" {
  input = var.earlier
}
`;
    const app = await project({
      files: {
        'ci/main.tf': guarded,
        'ci/terraform.tfvars': 'from_file = "hunter2-file"\nnested = {a = "hunter2-\\"x"}\n',
      },
      settings: {fromEnv: ['from_env'], set: {from_config: 'hunter2-config'}},
      env: {TF_VAR_from_env: 'hunter2-env', TF_VAR_stray: 'x'},
    });
    await terraform(app.path('ci'), 'apply', '-auto-approve', '-var=from_env=x');
    // By now the old default stands nowhere but in the state.
    const leaking = `resource "terraform_data" "leaks" {
  lifecycle {
    precondition {
      condition     = var.from_file == ""
      error_message = "\${nonsensitive(var.from_file)} \${nonsensitive(var.from_env)} \${nonsensitive(terraform_data.keeps.output)} \${nonsensitive(var.from_config)} \${nonsensitive(var.from_default)} \${nonsensitive(var.nested.a)}"
    }
  }
}
`;
    await app.write(
      'ci/main.tf',
      guarded.replace('hunter2-earlier', 'another').replace('input = var.earlier', 'input = sensitive("hunter2-earlier")') +
        leaking,
    );
    const error: unknown = await app.plan().catch((error: unknown) => error);
    const words = error instanceof Error ? error.message : '';
    expect(words).toContain('hunter2-file hunter2-env hunter2-earlier hunter2-config hunter2-default hunter2-"x');
    expect(app.shown(words)).not.toContain('hunter2');
    expect(app.log().join('\n')).not.toContain('hunter2');
  });

  test('of ephemeral variables reach the apply, and nobody else', async () => {
    const app = await project({
      files: {
        'ci/main.tf': `${instance}variable "token" {\n  type      = string\n  ephemeral = true\n  sensitive = true\n}\n`,
        'ci/terraform.tfvars': 'image_tag = "0.7.1"\ntoken = "hunter2-token"\n',
      },
      settings,
    });
    const plan = await app.plan();
    await app.apply(plan);
    expect((await readFile(app.path('ci/version'), 'utf8')).trim()).toBe('0.7.2');
    expect(JSON.stringify(plan)).not.toContain('hunter2');
    expect(app.shown('hunter2-token')).not.toContain('hunter2');
  });
});

withTerraform('A check block that fails', () => {
  test('stops no release, which may be what mends it: it is told before, and warned of after', async () => {
    const check =
      'check "tag" {\n  assert {\n    condition     = var.image_tag == "none"\n    error_message = "it is not none"\n  }\n}\n';
    const app = await project({files: {...files, 'ci/check.tf': check}, settings});
    const plan = await app.plan();
    expect(plan.notes).toContain('Now check.tag fails: it is not none. Terraform only warns of it.');
    await app.apply(plan);
    expect((await app.prove(plan))['settled']).toMatchObject({
      status: 'warned',
      found: 'no changes, but check.tag fails: it is not none',
    });
  });
});
