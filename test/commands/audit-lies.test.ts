/**
 * Sixteen lies about good releases: each turns exactly the lines ✖ that it is about. PASS goes through staging to production on the
 * embedded endpoint, a small module through a real Terraform; then somebody does what the audit is there to find.
 */
import {lstat, mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {DescribeServicesCommand} from '@aws-sdk/client-ecs';
import {PublishCommand, SNSClient} from '@aws-sdk/client-sns';
import {afterAll, beforeAll, expect, test} from 'vitest';
import {stringify} from 'yaml';
import {adoptCommand} from '../../src/commands/adopt.ts';
import {auditCommand} from '../../src/commands/audit.ts';
import {releaseCommand} from '../../src/commands/release.ts';
import {rollbackCommand} from '../../src/commands/rollback.ts';
import {tickCommand} from '../../src/commands/tick.ts';
import {startEmulator} from '../../src/emulator/index.ts';
import {emptyHead, seal} from '../../src/record/chain.ts';
import type {Clock} from '../../src/release/contract.ts';
import {runEvent} from '../../src/release/events.ts';
import {sha256} from '../../src/release/hash.ts';
import {
  type Pass,
  account,
  cluster,
  image,
  loaderTarget,
  region,
  registration,
  released,
  standing,
  startPass,
  taskDefinitionArn,
  topicArn,
} from '../support/pass.ts';
import {bundleSupervisor, terraform as terraformByHand, withTerraform} from '../tools/terraform/support.ts';
import {type Desk, deskAt, speed, unattended} from './support/desk.ts';

type Context = Desk['context'];

/** What an audit says, as a program reads it. */
interface Audited {
  readonly exitCode: number;
  readonly failed: readonly string[];
  readonly open: readonly string[];
  readonly reliable: boolean;
}

async function audit(context: Partial<Context>, at: Parameters<typeof deskAt>[0], environment = 'production'): Promise<Audited> {
  const desk = deskAt(at, context);
  const exitCode = await auditCommand(desk.context, undefined, {env: environment, format: 'json'});
  const report: {reliable: boolean; groups: {checks: {id: string; status: string}[]}[]} = JSON.parse(desk.stdout());
  const ids = (status: string) =>
    report.groups.flatMap(({checks}) => checks.filter(check => check.status === status).map(({id}) => id));
  return {exitCode, failed: ids('failed').toSorted(), open: ids('open'), reliable: report.reliable};
}

/** The newest record of an environment, to be rewritten. */
async function rewrite(
  store: string,
  environment: string,
  change: (text: string) => string,
  withHead = false,
): Promise<() => Promise<void>> {
  const [run = ''] = (await readdir(join(store, environment)))
    .filter(name => /^\d{4}-/.test(name))
    .toSorted()
    .toReversed();
  const [file, head] = [join(store, environment, run, 'record.ndjson'), join(store, environment, run, 'head.json')];
  const [before, headBefore] = [await readFile(file, 'utf8'), await readFile(head, 'utf8')];
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(file, after);
  if (withHead) await writeFile(head, JSON.stringify(headOf(after)));
  return async () => {
    await writeFile(file, before);
    await writeFile(head, headBefore);
  };
}

function headOf(text: string) {
  return text
    .trim()
    .split('\n')
    .reduce((now, line) => seal(eventOf(line), atOf(line), now).head, emptyHead);
}

/** The approval moved behind the first change. */
function approvedLate(text: string): string {
  const lines = text.trim().split('\n');
  const at = (type: string) => lines.findIndex(line => eventOf(line).type === type);
  const [given = ''] = lines.splice(at('approval.given'), 1);
  return lines.toSpliced(at('intent') + 1, 0, given).join('\n');
}

/** Without the lines that `leave` says, chained anew by somebody who knows how. */
function resealed(text: string, leave: (type: string) => boolean = () => false): string {
  let now = emptyHead;
  return text
    .trim()
    .split('\n')
    .flatMap(line => {
      const event = eventOf(line);
      if (leave(event.type)) return [];
      const sealed = seal(event, atOf(line), now);
      now = sealed.head;
      return [`${sealed.line}\n`];
    })
    .join('');
}

const eventOf = (line: string) => runEvent.parse(JSON.parse(line));
function atOf(line: string): string {
  const {at}: {at: string} = JSON.parse(line);
  return at;
}

// ── PASS ─────────────────────────────────────────────────────────────────────────────────────────────

interface Good {
  readonly staging: Pass;
  readonly production: Pass;
  readonly store: string;
  readonly context: Partial<Context>;
}

const cleanings: (() => Promise<unknown> | void)[] = [];
const finished = (clean: () => Promise<unknown> | void) => void cleanings.push(clean);
afterAll(async () => {
  for (const clean of cleanings.toReversed()) await clean();
});

/** As fast as the endpoints, the same for every process, and ahead of them by `pass`. */
function sharedClock(at: Parameters<typeof deskAt>[0]): Clock & {pass(ms: number): void} {
  const {clock} = deskAt(at).context;
  let ahead = 0;
  return {now: () => clock.now() + ahead, sleep: (ms, signal) => clock.sleep(ms, signal), pass: ms => void (ahead += ms)};
}

const hour = 3_600_000;

/** 1.14.0, adopted baselines behind it: verified in staging, its items ticked, an hour old there, and released to production. */
async function goodRelease(): Promise<Good> {
  const store = await mkdtemp(join(tmpdir(), 'dw-lies-'));
  finished(() => rm(store, {recursive: true, force: true}));
  const checklist = [
    {id: 'release-notes', when: 'before', text: 'Release notes merged'},
    {id: 'acceptance', when: 'after', text: 'Acceptance tests run'},
  ];
  const staging = await startPass(
    {
      speed,
      config: config => {
        Object.assign(config, {store, checklist, environments: {staging: config.environments['production']}});
      },
    },
    finished,
  );
  const production = await startPass(
    {
      speed,
      config: config => {
        const settings = config.environments['production'];
        Object.assign(config, {
          store,
          checklist,
          environments: {
            staging: settings,
            production: {...settings, requires: [{env: 'staging', ticks: ['acceptance'], for: '1h'}]},
          },
        });
      },
    },
    finished,
  );
  const clock = sharedClock(staging);
  const context = {clock};
  const at = (pass: Pass) => deskAt(pass, context).context;
  const tick = (pass: Pass, item: string, env: string) => tickCommand(at(pass), item, {env, release: released});
  expect(await adoptCommand(at(staging), {env: 'staging', yes: true, reason: 'as it runs'})).toBe(0);
  await tick(staging, 'release-notes', 'staging');
  expect(await releaseCommand(at(staging), unattended({env: 'staging'}))).toBe(0);
  await tick(staging, 'acceptance', 'staging');
  clock.pass(hour);
  await tick(production, 'release-notes', 'production');
  expect(await releaseCommand(at(production), unattended())).toBe(0);
  await tick(production, 'acceptance', 'production');
  return {staging, production, store, context};
}

const loader = (revision: string) => ({...loaderTarget('loader', taskDefinitionArn(revision))});

/** What somebody does, the lines that it turns ✖, and how it is taken back. */
interface Lie {
  readonly lie: string;
  readonly tell: (good: Good) => Promise<(() => unknown) | void> | (() => unknown) | void;
  readonly failed: readonly string[];
  /** Audited with these instead of the release's own. */
  readonly context?: (good: Good) => Promise<Partial<Context>>;
}

/** By hand, until it is steady. */
async function move(pass: Pass, change: Readonly<Record<string, unknown>>): Promise<void> {
  pass.world.updateService({cluster, service: 'deposit-services', ...change});
  await expect.poll(() => isSteady(pass), {timeout: 20_000}).toBe(true);
}

/** These can be taken back: one good release will do for all of them. */
const reversible: readonly Lie[] = [
  {
    lie: 'a tag that names another image now',
    tell: ({production: {world}}) => {
      world.putImage('pass-core', released, 'another one');
      return () => world.putImage('pass-core', released);
    },
    failed: ['image ecr/pass-core'],
  },
  {
    lie: 'a record in which a word was changed',
    tell: ({store}) => rewrite(store, 'production', text => text.replace('"user":"jo"', '"user":"mo"')),
    failed: ['chain'],
  },
  {
    lie: 'a record that was cut',
    tell: ({store}) => rewrite(store, 'production', text => `${text.split('\n').slice(0, -2).join('\n')}\n`),
    failed: ['chain', 'outcome'],
  },
  {
    lie: 'a schedule that was moved by hand',
    tell: ({production: {world}}) => {
      world.putTargets({name: 'grant-nightly'}, [loader('jhu-grant-loader:1')]);
      return () => world.putTargets({name: 'grant-nightly'}, [loader('jhu-grant-loader:2')]);
    },
    failed: ['grant-loader rule default/grant-nightly loader'],
  },
  {
    lie: 'an approval that was never given, in a record made anew',
    tell: ({store}) => rewrite(store, 'production', text => resealed(text, type => type === 'approval.given'), true),
    failed: ['approval'],
  },
  {
    lie: 'credentials of another account',
    tell: () => undefined,
    context: async ({production, context}) => {
      const other = await startEmulator({accountId: '999999999999', region});
      finished(() => other.close());
      return {...context, env: {...production.env, AWS_ENDPOINT_URL: other.url}};
    },
    failed: ['account'],
  },
  {
    lie: 'another message since, which the application has followed',
    tell: async ({production}) => {
      await publish(production, '1.13.9');
      return () => publish(production, released);
    },
    failed: ['pass-core http'],
  },
  {
    lie: 'an item that had to be ticked before, and is not',
    tell: ({store}) => untick(store, 'production', 'release-notes'),
    failed: ['checklist release-notes'],
  },
  {
    lie: 'an item that promotion asks for, and that is not ticked in staging',
    tell: ({store}) => untick(store, 'staging', 'acceptance'),
    failed: ['promotion staging'],
  },
  {
    lie: 'a loader that starts an older image under a newer revision',
    tell: ({production: {world}}) => {
      world.registerTaskDefinition(registration('pass-journal-loader', 'loader', image('pass-journal-loader', '1.13.2')));
      world.putTargets({name: 'journal-nightly'}, [loader('pass-journal-loader:3')]);
      return () => world.putTargets({name: 'journal-nightly'}, [loader('pass-journal-loader:2')]);
    },
    failed: ['journal-loader rule default/journal-nightly loader'],
  },
  {
    lie: 'another target in a rule, which starts an old revision',
    tell: ({production: {world}}) => {
      const put = (revision: string) =>
        world.putTargets({name: 'nihms-weekly'}, [{...loaderTarget('late', taskDefinitionArn(`pass-nihms-loader:${revision}`))}]);
      put('1');
      return () => put('2');
    },
    failed: ['nihms-loader other targets'],
  },
  {
    lie: 'a service that was put back to its old revision',
    tell: ({production}) => {
      production.world.updateService({
        cluster,
        service: 'deposit-services',
        taskDefinition: taskDefinitionArn('deposit-services:1'),
      });
      return () => move(production, {taskDefinition: taskDefinitionArn('deposit-services:2')});
    },
    failed: ['deposit-services rollout'],
  },
  {
    lie: 'a service that was scaled to zero',
    tell: ({production}) => {
      production.world.updateService({cluster, service: 'deposit-services', desiredCount: 0});
      return () => move(production, {desiredCount: 2});
    },
    failed: ['deposit-services rollout'],
  },
  {
    lie: 'tasks that run another image than the tag names',
    tell: async ({production}) => {
      production.world.putImage('deposit-services-core', released, 'another one');
      await move(production, {forceNewDeployment: true});
      production.world.putImage('deposit-services-core', released);
      return () => move(production, {forceNewDeployment: true});
    },
    failed: ['deposit-services digests'],
  },
];

/** Records made anew by somebody who knows how: the chain is whole, and what they say does not hold together. */
const forged: readonly Lie[] = [
  {
    lie: 'an approval by a policy that never allowed as much',
    tell: ({store}) =>
      rewrite(store, 'production', text => resealed(text.replaceAll('["update","trigger"]', '["update"]')), true),
    failed: ['covers'],
  },
  {
    lie: 'an approval that came after what it was for',
    tell: ({store}) => rewrite(store, 'production', text => resealed(approvedLate(text)), true),
    failed: ['applied'],
  },
  {
    lie: 'another plan in the place of the one that was approved',
    tell: ({store}) =>
      rewrite(store, 'production', text => resealed(text.replace(/("type":"plan\.ready".*?"fingerprint":")/, '$1x')), true),
    failed: ['applied'],
  },
];

/** After this one nothing is as it was. */
const irreversible: readonly Lie[] = [
  {
    lie: 'staging that was taken back since',
    tell: async ({staging, context}) => {
      const options = {...unattended({env: 'staging', allow: ['trigger:pass-core']}), tui: true};
      expect(await rollbackCommand(deskAt(staging, context).context, options)).toBe(0);
    },
    failed: ['promotion staging'],
  },
];

/** As whoever deploys by hand does it; the application behind the topic follows. */
async function publish({url, application}: Pass, imageTag: string): Promise<void> {
  const sns = new SNSClient({endpoint: url, region, credentials: {accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'not-a-secret'}});
  const Message = JSON.stringify({default: JSON.stringify({action: 'DeployStart', imageTag})});
  await sns.send(new PublishCommand({TopicArn: topicArn('pass-deploy'), Message, MessageStructure: 'json'}));
  sns.destroy();
  expect(application.version).toBe(imageTag);
}

async function isSteady({ecs}: Pass): Promise<boolean> {
  const {services = []} = await ecs.send(new DescribeServicesCommand({cluster, services: ['deposit-services']}));
  const [service] = services;
  return (
    service?.deployments?.length === 1 &&
    service.deployments[0]?.rolloutState === 'COMPLETED' &&
    service.runningCount === service.desiredCount
  );
}

/** What the lies are about: what runs, what starts, and every file of the records. */
async function truth({production, staging, store}: Good) {
  const names = (await readdir(store, {recursive: true})).toSorted();
  const files = await Promise.all(names.map(async name => [name, await readFile(join(store, name), 'utf8').catch(() => '')]));
  const [here, there] = await Promise.all([standing(production), standing(staging)]);
  return {
    runs: [here.services, there.services],
    starts: [here, there].map(({rules}) => Object.values(rules).map(revisions => new Set(revisions))),
    answers: [production.application.version, staging.application.version],
    files: Object.fromEntries(files),
  };
}

async function untick(store: string, environment: string, item: string): Promise<() => Promise<void>> {
  const folder = join(store, `${environment}.ticks`);
  for (const name of await readdir(folder)) {
    const file = join(folder, name, 'record.ndjson');
    const head = join(folder, name, 'head.json');
    const [text, headText] = [await readFile(file, 'utf8').catch(() => ''), await readFile(head, 'utf8').catch(() => '')];
    if (!text.includes(`"item":"${item}"`)) continue;
    await rm(file);
    await rm(head);
    return async () => {
      await writeFile(file, text);
      await writeFile(head, headText);
    };
  }
  throw new Error(`${item} is not ticked in ${environment}`);
}

let good: Good;
beforeAll(async () => {
  good = await goodRelease();
}, 60_000);

test('a good release: everything is as the record says', async () => {
  expect(await audit(good.context, good.production)).toEqual({exitCode: 0, failed: [], open: [], reliable: true});
});

test('who approved it is whoever was there then, not who had begun it', async () => {
  const {store, context, production} = good;
  const undo = await rewrite(
    store,
    'production',
    text => {
      const lines = text.trim().split('\n');
      const at = lines.findIndex(line => eventOf(line).type === 'approval.given');
      const resumed = {type: 'run.resumed', at: atOf(lines[at] ?? ''), by: {user: 'ann', host: 'desk'}};
      return resealed(lines.toSpliced(at, 0, JSON.stringify(resumed)).join('\n'));
    },
    true,
  );
  try {
    const desk = deskAt(production, context);
    expect(await auditCommand(desk.context, undefined, {env: 'production'})).toBe(0);
    expect(desk.stdout()).toMatch(
      /\nrelease by jo on laptop, [^]*✔ the plan that was applied was approved: by policy \(ann on desk\), /,
    );
  } finally {
    await undo();
  }
});

test.each([...reversible, ...forged])('$lie', {timeout: 30_000}, async ({tell, failed, context}) => {
  const before = await truth(good);
  const undo = await tell(good);
  try {
    const found = await audit((await context?.(good)) ?? good.context, good.production);
    expect(found).toMatchObject({exitCode: 5, failed: [...failed].toSorted(), reliable: !failed.includes('chain')});
  } finally {
    await undo?.();
  }
  // The next lie starts from a good release, too.
  expect(await truth(good)).toEqual(before);
});

test('once every one of them is taken back, everything is as the record says again', async () => {
  expect(await audit(good.context, good.production)).toEqual({exitCode: 0, failed: [], open: [], reliable: true});
});

test.each(irreversible)('$lie', {timeout: 60_000}, async ({tell, failed}) => {
  await tell(good);
  expect(await audit(good.context, good.production)).toMatchObject({exitCode: 5, failed: [...failed].toSorted()});
});

test(
  'a version that came in several runs: each component is audited by the run that it came with',
  {timeout: 30_000},
  async () => {
    const pass = await startPass({speed});
    const context = {clock: deskAt(pass).context.clock};
    const release = (...component: readonly string[]) =>
      releaseCommand(deskAt(pass, context).context, unattended({component: [...component]}));
    pass.world.fail({action: 'UpdateService', kind: {code: 'InvalidParameterException'}});
    expect(await release('deposit-services')).toBe(1);
    expect(await release('notification-services', 'grant-loader')).toBe(0);
    expect(await audit(context, pass)).toMatchObject({exitCode: 5, failed: ['deposit-services']});

    expect(await release('deposit-services')).toBe(0);
    expect(await release('grant-loader')).toBe(0);
    expect(await audit(context, pass)).toEqual({exitCode: 0, failed: [], open: [], reliable: true});

    pass.world.updateService({cluster, service: 'deposit-services', taskDefinition: taskDefinitionArn('deposit-services:1')});
    pass.world.putTargets({name: 'grant-nightly'}, [loader('jhu-grant-loader:1')]);
    expect(await audit(context, pass)).toMatchObject({
      exitCode: 5,
      failed: ['deposit-services rollout', 'grant-loader rule default/grant-nightly loader'],
    });
  },
);

test('what somebody may not look at is open, and nobody’s failure', {timeout: 30_000}, async () => {
  const pass = await startPass({speed});
  const context = {clock: deskAt(pass).context.clock};
  const component = ['deposit-services', 'grant-loader'];
  expect(await releaseCommand(deskAt(pass, context).context, unattended({component}))).toBe(0);
  expect(await adoptCommand(deskAt(pass, context).context, {env: 'production', yes: true, reason: 'x', release: '1.0.0'})).toBe(
    0,
  );
  pass.world.deny('ecs:DescribeServices');
  pass.world.deny('events:ListTargetsByRule');

  const desk = deskAt(pass, context);
  expect(await auditCommand(desk.context, released, {env: 'production'})).toBe(0);
  expect(desk.stdout()).toMatch(/○ .*deposit-services.*: not allowed to call ecs:DescribeServices/);
  expect(desk.stdout()).toMatch(/○ rule grant-nightly .*: not allowed to call events:ListTargetsByRule/);
  const adopted = await audit(context, pass);
  expect(adopted).toMatchObject({exitCode: 0, failed: []});
  expect(adopted.open).toEqual(expect.arrayContaining(['deposit-services', 'notification-services', 'grant-loader']));
});

// ── Terraform ────────────────────────────────────────────────────────────────────────────────────────

/** Half of it is beside its folder: in a copy of that folder it would be nowhere. */
const module = `
variable "image_tag" { type = string }
resource "terraform_data" "app" { input = var.image_tag }
module "beside" { source = "../beside" }
`;

/**
 * All that is in a folder, byte for byte, and when it was last written. A lock that is taken and given back leaves its mark: the
 * state's folder is written to.
 */
async function traceOf(root: string): Promise<Readonly<Record<string, string>>> {
  const names = await readdir(root, {recursive: true});
  const traces = ['', ...names].map(async name => {
    const file = join(root, name);
    const {mode, ino, mtimeNs, ctimeNs} = await lstat(file, {bigint: true});
    const holds = (await lstat(file)).isFile() ? sha256(await readFile(file)) : 'no file';
    return [name, `${holds} ${mode} ${ino} ${mtimeNs} ${ctimeNs}`] as const;
  });
  return Object.fromEntries(await Promise.all(traces));
}

withTerraform('infrastructure', () => {
  let root: string;
  let own: string;
  let context: Partial<Context>;
  let place: {readonly folder: string; readonly env: Readonly<Record<string, string>>};

  beforeAll(async () => {
    own = await mkdtemp(join(tmpdir(), 'dw-lies-terraform-'));
    finished(() => rm(own, {recursive: true, force: true}));
    root = join(own, 'module');
    await mkdir(root);
    await writeFile(join(root, 'main.tf'), module);
    await mkdir(join(own, 'beside'));
    await writeFile(join(own, 'beside', 'main.tf'), 'resource "terraform_data" "beside" {}\n');
    await writeFile(join(root, 'terraform.tfvars'), 'image_tag = "1.13.2"\n');
    await writeFile(
      join(root, 'deploy-wizard.config.yaml'),
      stringify({
        application: 'app',
        store: join(own, 'records'),
        environments: {production: {policy: {allow: ['create', 'update']}}},
        components: {service: {kind: 'terraform', set: {image_tag: '${version}'}}},
      }),
    );
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: own,
      TMPDIR: tmpdir(),
      XDG_STATE_HOME: join(own, 'state'),
      TF_CLI_CONFIG_FILE: '/dev/null',
      CHECKPOINT_DISABLE: '1',
    };
    place = {folder: root, env};
    context = {supervisor: {node: process.execPath, script: await bundleSupervisor(own)}, clock: sharedClock(place)};
    const desk = deskAt(place, context);
    const code = await releaseCommand(desk.context, unattended());
    expect(code, desk.stdout()).toBe(0);
  }, 60_000);

  test('a good release: everything is as the record says', async () => {
    const desk = deskAt(place, context);
    expect(await auditCommand(desk.context, undefined, {env: 'production'})).toBe(0);
    expect(desk.stdout()).toContain('Everything is as the record says.');
    expect(desk.stdout()).toMatch(
      /env TF_WORKSPACE=default terraform -chdir=\S+ plan -lock=false -detailed-exitcode -var-file=\S+terraform\.tfvars/,
    );
  });

  test('is looked at where it is, and left byte for byte as it was: module, state and records; no lock is taken', async () => {
    const before = await traceOf(own);
    expect(Object.keys(before)).toEqual(
      expect.arrayContaining(['module/terraform.tfstate', 'module/.terraform/modules/modules.json', 'records/production']),
    );
    expect(await audit(context, place)).toMatchObject({exitCode: 0, failed: []});
    expect(await traceOf(own)).toEqual(before);
  });

  test('in a checkout that nobody has initialised, as well: that is done aside', async () => {
    await rename(join(root, '.terraform'), join(own, 'kept'));
    const before = await traceOf(own);
    expect(await audit(context, place)).toMatchObject({exitCode: 0, failed: []});
    expect(await traceOf(own)).toEqual(before);
    await rename(join(own, 'kept'), join(root, '.terraform'));
  });

  test('a state that was edited', async () => {
    const file = join(root, 'terraform.tfstate');
    const before = await readFile(file, 'utf8');
    await writeFile(file, before.replaceAll(released, '1.13.9'));
    expect(await audit(context, place)).toMatchObject({exitCode: 5, failed: ['service settled']});
    await writeFile(file, before);
  });

  test('infrastructure that somebody has changed by hand', async () => {
    await terraformByHand(root, 'apply', '-auto-approve', '-input=false', '-var=image_tag=1.13.9');
    expect(await audit(context, place)).toMatchObject({exitCode: 5, failed: ['service settled']});
  });
});

test('sixteen lies were told', () => {
  // Two about Terraform, one twice: an item that is not ticked.
  expect(reversible.length + irreversible.length + 2 - 1).toBe(16);
  expect(account).toBe('333333333333');
});
