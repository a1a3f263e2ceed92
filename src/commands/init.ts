/** Writes a config file from what the repository and the account show, and a few questions. */
import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {configNames, findConfig} from '../config/find.ts';
import {type Preset, presets} from '../config/presets.ts';
import {parseConfig} from '../config/load.ts';
import {name as nameForm} from '../components/settings.ts';
import {UsageError, exitCodes, toTrouble} from '../release/errors.ts';
import {createAws} from '../tools/aws/index.ts';
import {isCode} from '../tools/error-code.ts';
import {createGit} from '../tools/git.ts';
import {askSome, askText, askWhich} from '../views/init-prompts.ts';
import {lineFor} from '../views/words.ts';
import {requireSomebody} from './attended.ts';
import type {Context} from './context.ts';
import {type FoundAccount, lookAtAccount} from './init/account.ts';
import {type Draft, type Proposal, asName, fromAccount, fromRepository, unique, writeDraft} from './init/draft.ts';
import {type FoundRepository, lookAtRepository} from './init/repository.ts';

export const presetNames = ['pass', 'cookbook'] as const satisfies readonly Preset[];

export interface InitOptions {
  /** Where it is written; by default `deploy-wizard.config.yaml` in the working directory. */
  readonly config?: string;
  readonly preset?: string;
  /** Takes the usual answers. */
  readonly yes: boolean;
}

/** Never overwrites: throws a UsageError where there is a config file already. */
export async function initCommand(context: Context, options: InitOptions): Promise<number> {
  const file = path.resolve(context.cwd, options.config ?? configNames[0]);
  const there = options.config === undefined ? await findConfig(context.cwd) : undefined;
  if (there !== undefined && path.dirname(there) === context.cwd) throw exists(there);
  const text = options.preset === undefined ? await draftFrom(context, options) : presetText(options.preset);
  if (text === undefined) {
    context.stderr.write('Nothing was written.\n');
    return exitCodes.interrupted;
  }
  // What is wrong in it is told before anybody has it.
  parseConfig(text, file, context.env);
  await writeFile(file, text, {flag: 'wx'}).catch((error: unknown) => {
    throw isCode(error, 'EEXIST')
      ? exists(file)
      : new UsageError(`${file} cannot be written: ${toTrouble(error).what}`, {means: 'Nothing was written.', cause: error});
  });
  const plain = lineFor(context.env);
  context.stdout.write(`${plain(`Wrote ${file}`)}\n`);
  context.stdout.write('Next: read it and commit it; `deploy-wizard doctor` says what is missing; then `deploy-wizard`.\n');
  return exitCodes.done;
}

function exists(file: string): UsageError {
  return new UsageError(`there is ${file} already`, {
    code: 'DW216',
    means: 'Nothing was written: init never overwrites.',
    next: ['Look at it with `deploy-wizard doctor`, or name another file with --config <file>.'],
  });
}

function presetText(name: string): string {
  const preset = presetNames.find(one => one === name);
  if (preset === undefined)
    throw new UsageError(`--preset ${name}: there is no such preset`, {next: [`There are: ${presetNames.join(', ')}`]});
  return presets[preset];
}

/** Looks around, asks, and writes a draft; undefined when whoever was asked gave no answer. */
async function draftFrom(context: Context, {yes}: InitOptions): Promise<string | undefined> {
  if (!yes) requireSomebody(context, 'Nothing was written.', 'Give --yes: it takes the usual answers.');
  const say = (text: string) => context.stderr.write(`${lineFor(context.env)(text)}\n`);
  const repository = await lookAtRepository(context.cwd, createGit({env: context.env}));
  const {AWS_REGION, AWS_DEFAULT_REGION, AWS_PROFILE: profile} = context.env;
  const region = AWS_REGION ?? AWS_DEFAULT_REGION ?? repository.region;
  const account = await accountHere(context, region, say);
  const proposals = unique([...fromRepository(repository), ...(account ? fromAccount(account) : [])]);
  account?.unseen.forEach(line => say(`  ${line}`));
  if (proposals.length === 0) return nothingFound(context, yes);

  const found = {accountId: account?.id ?? repository.accountId, region, profile};
  const draft = yes ? usualDraft(repository, proposals, found) : await askDraft(context, repository, proposals, found);
  return draft && writeDraft(draft);
}

async function accountHere(
  context: Context,
  region: string | undefined,
  say: (text: string) => void,
): Promise<FoundAccount | undefined> {
  const signal = new AbortController().signal;
  const timer = {now: context.clock.now, sleep: (ms: number) => context.clock.sleep(ms, signal)};
  const profile = context.env['AWS_PROFILE'];
  const aws = createAws({region: region ?? 'us-east-1', profile, login: undefined, env: context.env, timer});
  try {
    const account = await lookAtAccount(aws, signal, context.clock);
    say(`AWS account ${account.id}, ${region ?? 'us-east-1'}`);
    return account;
  } catch (error) {
    say(`AWS was not looked at: ${toTrouble(error).what}`);
    return undefined;
  }
}

type Found = Pick<Draft, 'accountId' | 'region' | 'profile'>;

function usualDraft({name, environments}: FoundRepository, proposals: readonly Proposal[], found: Found): Draft {
  const usual = proposals.filter(proposal => proposal.usual);
  return {
    application: asName(name),
    environments: environments.length === 0 ? ['production'] : environments.map(asName),
    components: usual.length === 0 ? proposals : usual,
    ...found,
  };
}

async function askDraft(
  context: Context,
  repository: FoundRepository,
  proposals: readonly Proposal[],
  found: Found,
): Promise<Draft | undefined> {
  const terminal = {input: context.stdin, output: context.stderr};
  const usual = usualDraft(repository, proposals, found);
  const wrongName = (text: string) => nameForm.safeParse(text).error?.issues[0]?.message;
  const application = await askText('What is the application called?', usual.application, wrongName, terminal);
  if (application === undefined) return undefined;
  const listed = await askText(
    'Which environments are there? (in order, with commas)',
    usual.environments.join(', '),
    text => namesIn(text).map(wrongName).find(Boolean) ?? (namesIn(text).length === 0 ? 'at least one' : undefined),
    terminal,
  );
  if (listed === undefined) return undefined;
  const choices = proposals.map(proposal => ({
    value: proposal,
    name: `${proposal.id}   ${proposal.why}`,
    usual: usual.components.includes(proposal),
  }));
  const components = await askSome('What is released?', choices, terminal);
  return components && {...usual, application, environments: namesIn(listed), components};
}

function namesIn(text: string): readonly string[] {
  return [...new Set(text.split(/[\s,]+/).filter(name => name !== ''))];
}

/** Nothing here to start from: one of the presets, if there is somebody to choose. */
async function nothingFound(context: Context, yes: boolean): Promise<string | undefined> {
  if (yes) {
    throw new UsageError(`nothing that could be released was found in ${context.cwd}, nor in an AWS account`, {
      means: 'Nothing was written.',
      next: [
        'Run it where Terraform files are, or with AWS credentials and AWS_REGION.',
        'Or start from an example: deploy-wizard init --preset pass, or --preset cookbook.',
      ],
    });
  }
  const terminal = {input: context.stdin, output: context.stderr};
  const preset = await askWhich(
    'Nothing that could be released was found here. Start from an example?',
    [
      {value: 'cookbook', name: 'cookbook   an image built here, and Terraform'},
      {value: 'pass', name: 'pass   ECS services, loaders and a message, on AWS'},
    ] as const,
    terminal,
  );
  return preset && presets[preset];
}
