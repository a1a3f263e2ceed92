/**
 * What preflight would say of an environment whichever version is released: the session, what the config file names, permissions,
 * registries.
 */
import type {Io} from '../../components/io.ts';
import {statedVersion} from '../../components/terraform/source/version-files.ts';
import {failed} from '../../components/verdict.ts';
import type {LoadedConfig} from '../../config/load.ts';
import type {Component} from '../../release/contract.ts';
import {inOneLine, toTrouble} from '../../release/errors.ts';
import type {Check, Claim} from '../../release/model.ts';
import type {Application} from '../application.ts';
import {bindComponents} from '../binding.ts';
import type {Context} from '../context.ts';
import {looking} from '../looking.ts';
import {redactionFor} from '../recorded.ts';
import {noVersion} from '../survey.ts';

/** Bound with another version, what is about one is called something else. */
const another = '0.0.1-unknown';

/** One check for each thing that can be looked at without a version. Throws nothing: what cannot be looked at is said. */
export async function environmentChecks(
  context: Context,
  {loaded, store}: Application,
  environment: string,
): Promise<readonly Check[]> {
  try {
    const version = await versionOfSource(loaded);
    const components = Object.keys(loaded.config.components);
    const claims = (of: string) =>
      bindComponents(loaded, context, {environment, version: of, components}).flatMap(component =>
        component.requirements({is: 'release', version: of}).map(claim => ({component, claim})),
      );
    const work = lasting(claims(version), claims(another));
    const redaction = redactionFor(loaded, environment);
    return await looking(context, {loaded, environment, version, redaction, store}, async (world, stop) => {
      const checks = await Promise.all(
        work.map(({component, claim}) =>
          look(claim, () => component.check(claim, world.ioFor({component: component.id, phase: 'preflight'}, stop))),
        ),
      );
      return checks.map(check => redaction.deep(check));
    });
  } catch (error) {
    const {what, next} = toTrouble(error);
    return [{claim: 'config', text: 'settings', status: 'failed', found: what, ...(next && {next: inOneLine(next)})}];
  }
}

/** What the sources say now: releasing that again changes none of them. Where nothing is built, a version that no release has. */
async function versionOfSource({config, folder}: LoadedConfig): Promise<string> {
  const sources = Object.values(config.components).flatMap(component =>
    component.kind === 'terraform' && component.source !== undefined ? [component.source] : [],
  );
  // One that says none is told by its own check.
  const stated = await Promise.all(sources.map(source => statedVersion(source, {folder}).catch(() => undefined)));
  return stated.find(version => version !== undefined) ?? noVersion;
}

interface Requirement {
  readonly component: Component<Io>;
  readonly claim: Claim;
}

/** The requirements that are called the same whichever version it is, each once: equal ones of several components are one. */
function lasting(all: readonly Requirement[], others: readonly Requirement[]): readonly Requirement[] {
  const name = ({claim: {id, text}}: Requirement) => JSON.stringify([id, text]);
  const same = new Set(others.map(name));
  const found = new Map<string, Requirement>();
  for (const one of all) if (same.has(name(one)) && !found.has(one.claim.id)) found.set(one.claim.id, one);
  return [...found.values()];
}

async function look(claim: Claim, check: () => Promise<Check>): Promise<Check> {
  try {
    return await check();
  } catch (error) {
    const {what, next} = toTrouble(error);
    return failed(claim, what, {...(next && {next: inOneLine(next)})});
  }
}
