/** How somebody sees for themselves what a claim is about: one table, for the kinds that do not say it. */
import path from 'node:path';
import * as z from 'zod';
import {partitionOf} from '../../components/by-hand.ts';
import type {Io, Place} from '../../components/io.ts';
import type {Component} from '../../release/contract.ts';
import type {Claim} from '../../release/model.ts';
import {isS3} from '../../record/place.ts';
import {showCommand} from '../../tools/exec.ts';

/** Where the release went. */
type Where = Pick<Place, 'region' | 'accountId'>;
type Command = readonly string[];

/** One command, or several that show it together. */
type Seeing = (subject: unknown, where: Where) => readonly Command[] | undefined;

function seeing<T>(schema: z.ZodType<T>, ...commands: readonly ((subject: T, where: Where) => Command)[]): Seeing {
  return (subject, where) => {
    const {data} = schema.safeParse(subject);
    return data && commands.map(command => command(data, where));
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
    /** What it starts: where the one is, the other is. */
    starts: z.string().optional(),
    definition: z.string().optional(),
  }),
  ({source, starts, definition}, where) => {
    switch (source.is) {
      case 'rule':
        return ['aws', 'events', 'list-targets-by-rule', '--rule', source.name, '--event-bus-name', source.bus];
      case 'schedule':
        return ['aws', 'scheduler', 'get-schedule', '--name', source.name, '--group-name', source.group];
      case 'stateMachine':
        return describeMachine(source.machine, [definition, starts], where);
    }
  },
);

/** By its ARN, which is all that the call takes: the config file may give its name. */
function describeMachine(machine: string, beside: readonly (string | undefined)[], {region, accountId}: Where): Command {
  const near = beside.find(text => text?.startsWith('arn:'))?.split(':') ?? [];
  const [, partition = partitionOf(region), , there = region, account = accountId] = near;
  if (!machine.startsWith('arn:') && (there === undefined || account === undefined))
    return ['aws', 'stepfunctions', 'list-state-machines'];
  const arn = machine.startsWith('arn:') ? machine : `arn:${partition}:states:${there}:${account}:stateMachine:${machine}`;
  return ['aws', 'stepfunctions', 'describe-state-machine', '--state-machine-arn', arn];
}

/** All that may start something: what the release does not list is found in no other way. */
const starters = seeing(
  z.object({}),
  () => ['aws', 'events', 'list-rules'],
  () => ['aws', 'scheduler', 'list-schedules'],
  () => ['aws', 'stepfunctions', 'list-state-machines'],
);

/** By what a claim's subject `is`. */
const table: Readonly<Record<string, Seeing>> = {
  rollout: service,
  tasks: service,
  targets: service,
  revision: definition,
  strangers: starters,
  pin: starter,
  follows: starter,
  http: seeing(z.object({url: z.string()}), ({url}) => curl(url)),
  digest: seeing(z.object({reference: z.string()}), ({reference}) => ['docker', 'buildx', 'imagetools', 'inspect', reference]),
};

function curl(url: string): readonly string[] {
  return ['curl', '--fail', '--silent', '--show-error', url];
}

const subjectKind = z.object({is: z.string()});

/** The command of a claim, or several: by the table, or that of the URL it is about; else `otherwise`. */
export function seeOf({subject, text}: Claim, where: Where, otherwise: string): string {
  const {data} = subjectKind.safeParse(subject);
  const row = data && Object.hasOwn(table, data.is) ? table[data.is] : undefined;
  const url = /\bhttps?:\/\/\S+/.exec(text)?.[0];
  const commands = row?.(subject, where) ?? (url === undefined ? undefined : [curl(url)]);
  return commands?.map(command => showCommand(withRegion(command, where))).join('; ') ?? otherwise;
}

/** The same component; its checks say how to look, also where its kind does not. */
export function showingHow(component: Component<Io>): Component<Io> {
  const check: Component<Io>['check'] = async (claim, io) => {
    const seen = await component.check(claim, io);
    const see = seen.see ?? seeOf(claim, io.place, '');
    return see === '' ? seen : {...seen, see};
  };
  return {...component, check};
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
