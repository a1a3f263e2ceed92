/** What containers wrote: CloudWatch Logs, as the awslogs driver fills them. */
import {clientConfig} from './clients.ts';
import {type Session, ifThere} from './session.ts';

export interface LogStream {
  /** Undefined: where everything else is. */
  readonly region: string | undefined;
  readonly group: string;
  readonly stream: string;
}

export interface Logs {
  /** The last lines of a stream, oldest first; undefined when there is no such group or stream. */
  tail(stream: LogStream, lines: number): Promise<readonly string[] | undefined>;
}

export function createLogs(session: Session): Logs {
  return {
    tail: async ({region = session.options.region, group, stream}, lines) => {
      const call = session.read('logs:GetLogEvents', async () => {
        const {CloudWatchLogsClient, GetLogEventsCommand} = await import('@aws-sdk/client-cloudwatch-logs');
        const client = new CloudWatchLogsClient(clientConfig({...session.options, region}, 'CLOUDWATCH_LOGS', 'read'));
        try {
          return await client.send(
            new GetLogEventsCommand({logGroupName: group, logStreamName: stream, limit: lines, startFromHead: false}),
          );
        } finally {
          client.destroy();
        }
      });
      const found = await ifThere(call, 'ResourceNotFoundException');
      return found && (found.events ?? []).flatMap(({message}) => message ?? []);
    },
  };
}
