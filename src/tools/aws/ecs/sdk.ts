/** The SDK's ECS clients, and calls within the budgets that AWS has for them. */
import {createBudgets, type Category, ownTime} from '../pacing.ts';
import {type AwsOptions, clients, lazy, read, write} from '../session.ts';

/** What every answer of the SDK holds. */
interface Answer {
  readonly $metadata: {readonly attempts?: number | undefined};
}

export type EcsSdk = ReturnType<typeof ecsSdk>;

export function ecsSdk(options: AwsOptions) {
  const timer = options.timer ?? ownTime;
  const budgets = createBudgets(timer);
  const load = lazy(async () => {
    const module = await import('@aws-sdk/client-ecs');
    return {
      ...module,
      ...clients(module.ECSClient, options, 'ECS'),
    };
  });

  return {
    load,
    timer,
    /** One call that changes nothing, when its turn has come. `action` as IAM names it. */
    read: async <T extends Answer>(
      category: Category,
      action: string,
      call: () => Promise<T>,
    ): Promise<T & {throttled: boolean}> => {
      const budget = budgets(category);
      await budget.turn();
      try {
        const answer = await read(options, action, call);
        const throttled = (answer.$metadata.attempts ?? 1) > 1;
        budget.went(throttled);
        return {...answer, throttled};
      } catch (error) {
        budget.went(true);
        throw error;
      }
    },
    /** One call that changes something, sent once, when its turn has come. */
    write: async <T>(
      category: Category,
      action: string,
      call: () => Promise<T>,
      sleep: (ms: number) => Promise<void>,
    ): Promise<T> => {
      await budgets(category).turn();
      return write(options, action, call, sleep);
    },
  };
}
