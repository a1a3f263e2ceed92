/** The SDK's ECS clients, and the session whose calls they make. */
import {clients} from '../clients.ts';
import {type Session, lazy} from '../session.ts';

export type EcsSdk = ReturnType<typeof ecsSdk>;

export function ecsSdk(session: Session) {
  return {
    session,
    load: lazy(async () => {
      const module = await import('@aws-sdk/client-ecs');
      return {
        ...module,
        ...clients(module.ECSClient, session.options, 'ECS'),
      };
    }),
  };
}
