/** PASS, as its deployment article describes it: a topic, two services, three loaders. All in the embedded endpoint. */
import {mkdir, writeFile} from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import {startEmulator} from '../../emulator/index.ts';
import type {Context} from '../context.ts';
import type {DemoOptions, Stage} from './index.ts';
import {account, before, furnish, region, released, services} from './pass-world.ts';
import {serveVersion} from './web.ts';

/** What subscribers read: the text for every protocol, and inside it what PASS agreed on. */
const envelope = z.object({default: z.string()});
const deployMessage = z.object({imageTag: z.string()});

export async function preparePass(_context: Context, workspace: string, {yes, speed, scenario}: DemoOptions): Promise<Stage> {
  const emulator = await startEmulator({speed, accountId: account, region, ...(scenario && {scenario})});
  let running: string = before;
  const web = await serveVersion(() => Promise.resolve(running));
  const close = async () => {
    await web.close();
    await emulator.close();
  };
  const folder = path.join(workspace, 'pass');
  try {
    emulator.world.onPublish(furnish(emulator.world), ({message}) => {
      const {imageTag} = deployMessage.parse(JSON.parse(envelope.parse(JSON.parse(message)).default));
      // The instance behind the topic takes its time, out of sight.
      setTimeout(() => (running = imageTag), 8000 / speed).unref();
    });
    await mkdir(folder, {recursive: true});
    await writeFile(path.join(folder, 'deploy-wizard.config.yaml'), config(web.url));
  } catch (error) {
    await close();
    throw error;
  }
  const setting = scenario === undefined ? '' : ` Scenario: ${scenario}.`;
  return {
    // Whoever is asked chooses the version.
    title: `PASS ${before}${yes ? ` → ${released}` : ''}: one message, two ECS services, three loaders, on an AWS endpoint inside this process.${setting}`,
    folder,
    env: {
      AWS_ENDPOINT_URL: emulator.url,
      AWS_ACCESS_KEY_ID: 'any-id-will-do',
      AWS_SECRET_ACCESS_KEY: 'any-key-will-do',
      AWS_EC2_METADATA_DISABLED: 'true',
      XDG_STATE_HOME: path.join(workspace, 'state'),
    },
    answers: ['--env', 'production', '--release', released],
    version: released,
    environment: 'production',
    close,
  };
}

function config(url: string): string {
  return `# PASS, as the demo has it. The real one differs in names and accounts only.
application: pass
environments:
  production:
    aws: { accountId: "${account}", region: ${region} }
    values: { deployEnv: Production, cluster: pass, url: "${url}" }
    policy: { allow: [update, trigger] }
registries:
  ecr: { kind: ecr }
components:
  pass-core:
    kind: sns-trigger
    topic: pass-deploy
    images: [ecr/pass-core, ecr/pass-ui]
    message: { action: DeployStart, commitRef: "\${version}", deployEnv: "\${values.deployEnv}", imageTag: "\${version}" }
    verify: { http: "\${values.url}/version", expect: "\${version}", within: 5m }
${services.map(({id, container, image}) => `  ${id}: { kind: ecs-service, cluster: "\${values.cluster}", service: ${id}, images: { ${container}: ecr/${image} }, needs: [pass-core] }`).join('\n')}
  grant-loader: { kind: batch-job-definition, jobDefinition: jhu-grant-loader, images: { default: ecr/jhu-grant-loader }, targets: [ { stateMachine: grant-load } ], needs: [pass-core] }
  journal-loader: { kind: ecs-scheduled-task, family: pass-journal-loader, images: { loader: ecr/pass-journal-loader }, targets: [ { schedule: default/journal } ], needs: [pass-core] }
  nihms-loader: { kind: batch-job-definition, jobDefinition: pass-nihms-loader, images: { default: ecr/pass-nihms-loader }, targets: [ { rule: nihms-weekly } ], needs: [pass-core] }
checklist:
  - { id: acceptance, when: after, text: "Acceptance tests run against the tag" }
`;
}
