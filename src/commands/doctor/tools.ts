/** The programs that releases are carried out with: whether they are there, which they are, and whether this config needs them. */
import type {Config} from '../../config/schema.ts';
import {inOneLine, toTrouble} from '../../release/errors.ts';
import type {Check} from '../../release/model.ts';
import {createDocker} from '../../tools/docker.ts';
import {secretsNeedBuildKit} from '../../tools/docker/errors.ts';
import {execOk} from '../../tools/exec.ts';
import {createTerraform} from '../../tools/terraform/terraform.ts';
import type {Context} from '../context.ts';

interface Tool {
  readonly name: string;
  /** What of the config needs it, in words; undefined where nothing does. */
  neededFor(config: Config): string | undefined;
  /** What is there, in words. Throws a DeployError where nothing is, or not what is needed. */
  look(context: Context): Promise<string>;
}

/** The components of a kind that fit, by name. */
function named(config: Config, fits: (component: Config['components'][string]) => boolean): string | undefined {
  const ids = Object.entries(config.components).flatMap(([id, component]) => (fits(component) ? [id] : []));
  return ids.length === 0 ? undefined : ids.join(', ');
}

const sourceOf = (component: Config['components'][string]) => (component.kind === 'terraform' ? component.source : undefined);

const tools: readonly Tool[] = [
  {
    name: 'git',
    neededFor: config => named(config, component => sourceOf(component) !== undefined),
    look: async ({env}) => {
      const {stdout} = await execOk('git', ['--version'], {env, timeoutMs: 15_000});
      return stdout.replace(/^git version /, '').trim();
    },
  },
  {
    name: 'docker',
    neededFor: config => named(config, component => sourceOf(component) !== undefined),
    look: async ({env}) => {
      const {client, server} = await createDocker({env}).version();
      return `client ${client}, engine ${server}`;
    },
  },
  {
    name: 'docker buildx',
    neededFor: config => named(config, component => sourceOf(component)?.build.secrets !== undefined),
    look: async ({env}) => {
      const {buildkit} = await createDocker({env}).version();
      if (buildkit) return 'builds with BuildKit';
      throw secretsNeedBuildKit(/^(?:0|f|false)$/i.test(env['DOCKER_BUILDKIT'] ?? ''));
    },
  },
  {
    name: 'terraform',
    neededFor: config => named(config, ({kind}) => kind === 'terraform'),
    look: ({env, cwd}) => createTerraform({env}).version(cwd),
  },
];

/** Without a config file nothing is known to be needed. */
export async function toolChecks(context: Context, config: Config | undefined): Promise<readonly Check[]> {
  const node: Check = {claim: 'tool node', text: 'node', status: 'passed', found: context.tool.node};
  const looked = tools.map(tool => lookAt(tool, context, config && tool.neededFor(config)));
  return [node, ...(await Promise.all(looked))];
}

async function lookAt(tool: Tool, context: Context, neededFor: string | undefined): Promise<Check> {
  const check = {claim: `tool ${tool.name}`, text: tool.name};
  const use = neededFor === undefined ? 'not needed here' : `for ${neededFor}`;
  try {
    return {...check, status: 'passed', found: `${await tool.look(context)} (${use})`};
  } catch (error) {
    const {what, next} = toTrouble(error);
    const [found = ''] = what.split('\n');
    return neededFor === undefined
      ? {...check, status: 'open', found: `${found} (${use})`}
      : {...check, status: 'failed', found: `${found} (${use})`, ...(next && {next: inOneLine(next)})};
  }
}
