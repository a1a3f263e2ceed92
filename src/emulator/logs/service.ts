import * as z from 'zod';
import {type Account, arnIn} from '../account.ts';
import {actionsOf, type Service} from '../action.ts';
import {AwsError} from '../errors.ts';
import {paginate} from '../pagination.ts';
import {type LogLine, type LogStream, streamNamed, streamsIn} from './streams.ts';

const codes = {invalidInput: 'InvalidParameterException', internal: 'ServiceUnavailableException'};
const action = actionsOf(codes);

/** Milliseconds since the epoch: the start belongs to it, the end does not. */
const period = {startTime: z.int().default(0), endTime: z.int().default(Number.MAX_SAFE_INTEGER)};
const limit = z.int().min(1).max(10_000).default(10_000);
const token = z.string().optional();

export const logs: Service = {
  name: 'logs',
  wire: {protocol: 'json', version: '1.1', target: 'Logs_20140328'},
  codes,
  actions: {
    DescribeLogStreams: action(
      z.object({
        logGroupName: z.string(),
        logStreamNamePrefix: z.string().default(''),
        orderBy: z.enum(['LogStreamName', 'LastEventTime']).default('LogStreamName'),
        descending: z.boolean().default(false),
        nextToken: token,
        limit: z.int().min(1).max(50).default(50),
      }),
      (account, input) => {
        const found = streamsIn(account, input.logGroupName).filter(({name}) => name.startsWith(input.logStreamNamePrefix));
        const sorted = found.toSorted(ORDERS[input.orderBy]);
        const {items, nextToken} = paginate(input.descending ? sorted.toReversed() : sorted, {
          limit: input.limit,
          token: input.nextToken,
          invalid: codes.invalidInput,
        });
        return {logStreams: items.map(stream => streamView(account, input.logGroupName, stream)), nextToken};
      },
    ),

    GetLogEvents: action(
      z.object({
        logGroupName: z.string(),
        logStreamName: z.string(),
        ...period,
        startFromHead: z.boolean().default(false),
        limit,
        nextToken: token,
      }),
      (account, input) => {
        const lines = within(streamNamed(account, input.logGroupName, input.logStreamName).lines, input);
        const [start, end] = windowOf(lines.length, input);
        // Never absent: at either end it is the token that was given.
        return {
          events: lines.slice(start, end).map(eventView),
          nextForwardToken: `f/${end}`,
          nextBackwardToken: `b/${start}`,
        };
      },
    ),
  },
};

const lastLine = ({lines}: LogStream): number => lines.at(-1)?.at ?? 0;

const ORDERS: Readonly<Record<'LogStreamName' | 'LastEventTime', (a: LogStream, b: LogStream) => number>> = {
  LogStreamName: (a, b) => (a.name < b.name ? -1 : 1),
  LastEventTime: (a, b) => lastLine(a) - lastLine(b),
};

const within = (lines: readonly LogLine[], {startTime, endTime}: {startTime: number; endTime: number}): readonly LogLine[] =>
  lines.filter(({at}) => at >= startTime && at < endTime);

/** Which lines are meant: on from a token, back from one, or the first or last that the limit lets through. */
function windowOf(
  count: number,
  {nextToken, startFromHead, limit}: {nextToken?: string | undefined; startFromHead: boolean; limit: number},
): readonly [start: number, end: number] {
  const said = nextToken === undefined ? undefined : /^(?<direction>[fb])\/(?<index>\d+)$/.exec(nextToken)?.groups;
  if (nextToken !== undefined && said === undefined)
    throw new AwsError(codes.invalidInput, 'The specified nextToken is invalid.');
  const forward = said === undefined ? startFromHead : said['direction'] === 'f';
  const index = said === undefined ? (forward ? 0 : count) : Math.min(count, Number(said['index']));
  return forward ? [index, Math.min(count, index + limit)] : [Math.max(0, index - limit), index];
}

const eventView = ({at, message}: LogLine) => ({timestamp: Math.floor(at), message, ingestionTime: Math.floor(at)});

function streamView(account: Account, group: string, {name, lines}: LogStream) {
  const [first, last] = [lines[0]?.at, lines.at(-1)?.at];
  return {
    arn: arnIn(account, 'logs', `log-group:${group}:log-stream:${name}`),
    logStreamName: name,
    creationTime: first && Math.floor(first),
    firstEventTimestamp: first && Math.floor(first),
    lastEventTimestamp: last && Math.floor(last),
    lastIngestionTime: last && Math.floor(last),
    storedBytes: 0,
  };
}
