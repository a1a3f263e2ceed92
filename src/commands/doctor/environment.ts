/**
 * What preflight would say of an environment whichever version is released: the session, what the config file names, permissions,
 * registries.
 */
import type {Io} from '../../components/io.ts';
import {failed, passed, warned} from '../../components/verdict.ts';
import type {Component} from '../../release/contract.ts';
import {toTrouble} from '../../release/errors.ts';
import type {Check, Claim} from '../../release/model.ts';
import {wholeRelease} from '../../release/words.ts';
import {parseImageName} from '../../tools/registry.ts';
import type {Application} from '../application.ts';
import {bindComponents} from '../binding.ts';
import type {Context} from '../context.ts';
import {looking} from '../looking.ts';
import {redactionFor} from '../recorded.ts';
import {noVersion} from '../survey.ts';

/** Bound with either, what is about no version is the same. */
const versions = [noVersion, '0.0.1-unknown'] as const;

/** One check for each thing that can be looked at without a version. Throws nothing: what cannot be looked at is said. */
export async function environmentChecks(
  context: Context,
  {loaded, store}: Application,
  environment: string,
): Promise<readonly Check[]> {
  try {
    const all = Object.keys(loaded.config.components);
    const [components, others] = versions.map(version =>
      bindComponents(loaded, context, {environment, version, components: all}),
    );
    const work = lasting(components ?? [], others ?? []);
    const hosts = loaded.config.components;
    const redaction = redactionFor(loaded, environment);
    return await looking(context, {loaded, environment, version: noVersion, redaction, store}, async (world, stop) => {
      const io = (component: string) => world.ioFor({component, phase: 'preflight'}, stop);
      const checks = await Promise.all([
        ...work.map(({component, claim}) => look(claim, () => component.check(claim, io(component.id)))),
        ...pushedTo(hosts).map(host => look(registryClaim(host), () => checkLogin(host, io(wholeRelease)))),
      ]);
      return checks.map(check => redaction.deep(check));
    });
  } catch (error) {
    const {what, next} = toTrouble(error);
    return [{claim: 'config', text: 'settings', status: 'failed', found: what, ...(next && {next: next.join(' ')})}];
  }
}

/** The requirements that both have, each once: equal ones of several components are one. */
function lasting(
  components: readonly Component<Io>[],
  others: readonly Component<Io>[],
): readonly {readonly component: Component<Io>; readonly claim: Claim}[] {
  const claimsOf = (component: Component<Io>, version: string) => component.requirements({is: 'release', version});
  const same = new Set(others.flatMap(component => claimsOf(component, versions[1]).map(claim => JSON.stringify(claim))));
  const found = new Map<string, {readonly component: Component<Io>; readonly claim: Claim}>();
  for (const component of components) {
    for (const claim of claimsOf(component, versions[0])) {
      if (same.has(JSON.stringify(claim)) && !found.has(claim.id)) found.set(claim.id, {component, claim});
    }
  }
  return [...found.values()];
}

async function look(claim: Claim, check: () => Promise<Check>): Promise<Check> {
  try {
    return await check();
  } catch (error) {
    const {what, next} = toTrouble(error);
    return failed(claim, what, {...(next && {next: next.join(' ')})});
  }
}

/** Hosts of registries that images are built for. */
function pushedTo(components: Application['loaded']['config']['components']): readonly string[] {
  const images = Object.values(components).flatMap(component =>
    component.kind === 'terraform' && component.source !== undefined ? [component.source.build.image] : [],
  );
  return [...new Set(images.filter(image => !image.includes('$')).map(image => parseImageName(image).registry))];
}

function registryClaim(host: string): Claim {
  return {id: `registry ${host}`, text: `login at ${host}`, subject: {is: 'registry', host}};
}

async function checkLogin(host: string, io: Io): Promise<Check> {
  const claim = registryClaim(host);
  const known = await io.registry.credentials(host);
  return known === undefined
    ? warned(claim, 'docker is not logged in there', {next: `Unless anybody may push there: docker login ${host}`})
    : passed(claim, `as ${known.username}`);
}
