/** What a job on GitHub Actions is told beside its log: annotations, masks, outputs, and the summary of the job. */
import {randomUUID} from 'node:crypto';
import {appendFile, readFile} from 'node:fs/promises';
import {componentLines} from '../config/positions.ts';
import {toTrouble} from '../release/errors.ts';
import type {Job, Trouble} from '../release/model.ts';
import {wholeRelease} from '../release/words.ts';
import {type Place, failure, mask, outputLines} from '../views/github.ts';
import {lineFor} from '../views/words.ts';
import type {Redaction} from '../record/redact.ts';
import {fileOnGitHub} from './annotations.ts';
import type {Context} from './context.ts';

/** Failures as annotations at their component in the config file. */
export async function annotator({env}: Context, config: string): Promise<(job: Job, trouble: Trouble) => string> {
  const lines = componentLines(await readFile(config, 'utf8').catch(() => ''));
  const file = fileOnGitHub(env, config);
  return ({component, phase}, trouble) => {
    const line = lines.get(component);
    const place: Place | undefined = component === wholeRelease ? {file, line: 1} : line === undefined ? undefined : {file, line};
    return failure(component === wholeRelease ? phase : `${component} ${phase}`, trouble, place);
  };
}

/**
 * A redaction that tells the runner what it learns, for whatever else the job prints. The runner hides a value once it has read
 * this line, which it shows to nobody; where standard error goes elsewhere, it would be there in clear.
 */
export function masking(redaction: Redaction, {stderr}: Pick<Context, 'stderr'>): Redaction {
  const told = new Set<string>();
  return {
    ...redaction,
    learn: secret => {
      redaction.learn(secret);
      // What is too short, or stands in the config file for all to read, is not hidden by us either.
      const parts = secret.split(/\r\n|\n|\r/).filter(part => !told.has(part) && redaction.text(part) !== part);
      parts.forEach(part => told.add(part));
      if (parts.length > 0) stderr.write(`${parts.map(mask).join('\n')}\n`);
    },
  };
}

/** Sets outputs of the step. */
export async function setOutputs(context: Context, values: Readonly<Record<string, string>>): Promise<void> {
  await append(context, context.env['GITHUB_OUTPUT'], outputLines(values, `deploy-wizard-${randomUUID()}`));
}

/** Adds Markdown to the page of the run. */
export async function addSummary(context: Context, markdown: string): Promise<void> {
  await append(context, context.env['GITHUB_STEP_SUMMARY'], `${markdown}\n`);
}

/** What the job is told is a help: that it could not be told is no failure of the release. */
async function append({env, stderr}: Context, file: string | undefined, text: string): Promise<void> {
  if (file === undefined || file === '') return;
  await appendFile(file, text).catch((error: unknown) => {
    stderr.write(`${lineFor(env)(`GitHub could not be told: ${toTrouble(error).what}`)}\n`);
  });
}
