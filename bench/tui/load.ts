/**
 * The wizard's own view under load, in a terminal of its own: `load.mjs <logs|scroll> <seconds> <file>`. Writes into the file what it
 * took (`Taken`) when its time is over.
 */
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createJobLogs} from '../../src/record/logs.ts';
import {createRedaction} from '../../src/record/redact.ts';
import type {RunEvent} from '../../src/release/events.ts';
import type {Survey} from '../../src/release/form.ts';
import {startTui} from '../../src/views/tui/index.tsx';
import type {Taken} from './taken.ts';

const [what = 'logs', seconds = '60', file = ''] = process.argv.slice(2);

const linesPerSecond = 5000;
const ids = Array.from({length: what === 'logs' ? 6 : 60}, (_, index) => `component-${String(index + 1).padStart(2, '0')}`);
const folder = mkdtempSync(path.join(tmpdir(), 'deploy-wizard-bench-'));
const logs = createJobLogs(folder, createRedaction());
const {stdin, stdout, env} = process;
const tui = startTui({
  stdin,
  stdout,
  env,
  clock: {now: Date.now},
  suspend: () => undefined,
  onWindowChange: () => () => undefined,
});

const emit = (event: RunEvent): void => tui.show({...event, at: new Date().toISOString()});

const cards = ids.map((id, index) => ({
  id,
  kind: 'ecs-service',
  needs: index === 0 ? [] : ['component-01'],
  version: '1.13.2',
}));
const survey: Survey = {
  application: 'pass',
  environments: [{name: 'production'}],
  presets: {},
  recall: name => Promise.resolve({name}),
  reach: () => Promise.resolve({}),
  look: () => Promise.resolve(cards),
  suggest: () => [],
  versions: () => Promise.resolve(),
};

function start(): void {
  emit({
    type: 'run.started',
    schema: 1,
    run: 'r1',
    application: 'pass',
    environment: 'production',
    version: '1.14.0',
    components: cards.map(({id, kind, needs}) => ({id, kind, needs: [...needs]})),
    unattended: false,
    by: {user: 'jo', host: 'laptop'},
    tool: {version: '0.0.0', node: process.version},
    configPath: '/deploy-wizard.config.yaml',
    config: null,
    allow: [],
  });
  tui.watchLogs(logs);
  for (const component of ids) emit({type: 'job.started', job: {component, phase: 'build'}});
}

/** As many lines as are due, into all jobs in turn. */
function spam(): void {
  const begun = performance.now();
  let written = 0;
  setInterval(() => {
    const due = Math.floor(((performance.now() - begun) / 1000) * linesPerSecond);
    for (; written < due; written++) {
      const component = ids[written % ids.length] ?? '';
      logs.write(
        `${component}.build`,
        `#${written % 40} [${written % 9}/9] RUN step --number ${written} of a build that says a lot`,
      );
    }
  }, 10);
  let step = 0;
  setInterval(() => {
    step += 1;
    for (const component of ids) {
      emit({
        type: 'job.progress',
        job: {component, phase: 'build'},
        progress: {text: `step ${step}`, done: step % 40, total: 40},
      });
    }
  }, 200);
}

const heaps: number[] = [];
function weigh(): void {
  globalThis.gc?.();
  heaps.push(process.memoryUsage().heapUsed);
}

if (what === 'scroll') await tui.choose({environment: 'production', version: '1.14.0'}, survey);
start();
if (what === 'logs') spam();

const warmUp = 3000;
setTimeout(() => {
  const before = process.cpuUsage();
  const begun = performance.now();
  weigh();
  const weighing = setInterval(weigh, 10_000);
  setTimeout(
    () => {
      const {user, system} = process.cpuUsage(before);
      const taken: Taken = {share: (user + system) / 1000 / (performance.now() - begun), heaps: [...heaps]};
      clearInterval(weighing);
      weigh();
      writeFileSync(file, JSON.stringify({...taken, heaps}));
      rmSync(folder, {recursive: true, force: true});
      process.exit();
    },
    Number(seconds) * 1000,
  );
}, warmUp);
