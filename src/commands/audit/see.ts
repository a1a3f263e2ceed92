/** How somebody sees for themselves what a claim is about: one table, for the kinds that do not say it. */
import path from 'node:path';
import * as z from 'zod';
import type {Place} from '../../components/io.ts';
import type {Claim} from '../../release/model.ts';
import {isS3} from '../../record/place.ts';
import {showCommand} from '../../tools/exec.ts';

type Seeing = (subject: unknown) => readonly string[] | undefined;

function seeing<T>(schema: z.ZodType<T>, command: (subject: T) => readonly string[]): Seeing {
  return subject => {
    const {data} = schema.safeParse(subject);
    return data && command(data);
  };
}

const service = seeing(z.object({cluster: z.string(), service: z.string()}), ({cluster, service: name}) => [
  'aws',
  'ecs',
  'describe-services',
  '--cluster',
  cluster,
  '--services',
  name,
]);

const definition = seeing(z.object({definition: z.string()}), ({definition: arn}) =>
  arn.includes(':job-definition/')
    ? ['aws', 'batch', 'describe-job-definitions', '--job-definitions', arn]
    : ['aws', 'ecs', 'describe-task-definition', '--task-definition', arn],
);

const starter = seeing(
  z.object({
    source: z.discriminatedUnion('is', [
      z.object({is: z.literal('rule'), bus: z.string(), name: z.string()}),
      z.object({is: z.literal('schedule'), group: z.string(), name: z.string()}),
      z.object({is: z.literal('stateMachine'), machine: z.string()}),
    ]),
  }),
  ({source}) => {
    switch (source.is) {
      case 'rule':
        return ['aws', 'events', 'list-targets-by-rule', '--rule', source.name, '--event-bus-name', source.bus];
      case 'schedule':
        return ['aws', 'scheduler', 'get-schedule', '--name', source.name, '--group-name', source.group];
      case 'stateMachine':
        return ['aws', 'stepfunctions', 'describe-state-machine', '--state-machine-arn', source.machine];
    }
  },
);

/** By what a claim's subject `is`. */
const table: Readonly<Record<string, Seeing>> = {
  rollout: service,
  tasks: service,
  targets: service,
  revision: definition,
  strangers: definition,
  pin: starter,
  follows: starter,
  http: seeing(z.object({url: z.string()}), ({url}) => curl(url)),
  digest: seeing(z.object({reference: z.string()}), ({reference}) => ['docker', 'buildx', 'imagetools', 'inspect', reference]),
};

function curl(url: string): readonly string[] {
  return ['curl', '--fail', '--silent', '--show-error', url];
}

const subjectKind = z.object({is: z.string()});

/** The command of a claim: by the table, or that of the URL it is about; else `otherwise`. */
export function seeOf({subject, text}: Claim, place: Pick<Place, 'region'>, otherwise: string): string {
  const {data} = subjectKind.safeParse(subject);
  const row = data && Object.hasOwn(table, data.is) ? table[data.is] : undefined;
  const url = /\bhttps?:\/\/\S+/.exec(text)?.[0];
  const command = row?.(subject) ?? (url === undefined ? undefined : curl(url));
  return command === undefined ? otherwise : showCommand(withRegion(command, place));
}

/** The command that shows a record, wherever it is kept. */
export function seeRecord(place: string): string {
  return showCommand(isS3(place) ? ['aws', 's3', 'cp', '--recursive', place, '.'] : ['cat', path.join(place, 'record.ndjson')]);
}

/** The command that shows what the records say of every run of an environment. */
export function seeRuns(environment: string): string {
  return showCommand(['deploy-wizard', 'log', '--env', environment, '--output', 'json']);
}

/** The command that looks at the components of an environment as they are now. */
export function seeLive(environment: string): string {
  return showCommand(['deploy-wizard', 'status', '--env', environment, '--live']);
}

/** An `aws` command asks the region that the release went to. */
export function withRegion(command: readonly string[], {region}: Pick<Place, 'region'>): readonly string[] {
  return command[0] === 'aws' && region !== undefined ? [...command, '--region', region] : command;
}
