import * as z from 'zod';

/** Where a container writes its log. */
export interface LogStreamName {
  readonly group: string;
  readonly stream: string;
}

const configuration = z.object({logDriver: z.literal('awslogs'), options: z.record(z.string(), z.string()).default({})});

/** The options of a container's `logConfiguration`; undefined: it does not log to CloudWatch. */
export const awslogs = (logConfiguration: unknown): Readonly<Record<string, string>> | undefined =>
  configuration.safeParse(logConfiguration).data?.options;
