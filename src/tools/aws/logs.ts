/** What containers wrote: CloudWatch Logs, as the awslogs driver fills them. */
import {type AwsOptions, clientConfig, errorName, read} from './session.ts';

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

export function createLogs(options: AwsOptions): Logs {
  return {
    tail: async ({region, group, stream}, lines) => {
      try {
        return await read(options, 'logs:GetLogEvents', async () => {
          const {CloudWatchLogsClient, GetLogEventsCommand} = await import('@aws-sdk/client-cloudwatch-logs');
          const where = {...options, region: region ?? options.region};
          const client = new CloudWatchLogsClient(clientConfig(where, 'CLOUDWATCH_LOGS', 'read'));
          try {
            const {events = []} = await client.send(
              new GetLogEventsCommand({logGroupName: group, logStreamName: stream, limit: lines, startFromHead: false}),
            );
            return events.flatMap(({message}) => message ?? []);
          } finally {
            client.destroy();
          }
        });
      } catch (error) {
        if (errorName(error) === 'ResourceNotFoundException') return undefined;
        throw error;
      }
    },
  };
}
