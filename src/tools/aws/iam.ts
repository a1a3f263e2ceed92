/** What the caller may do, asked without doing it. */
import type {EvaluationResult} from '@aws-sdk/client-iam';
import {clientConfig} from './clients.ts';
import {paged} from './paged.ts';
import {type Session, ifThere, lazy} from './session.ts';

/** One action on one resource, as the policies of a role or user decide it. */
export interface Decision {
  readonly action: string;
  readonly resource: string;
  readonly is: 'allowed' | 'explicitDeny' | 'implicitDeny';
  /** Condition keys whose values the simulation lacked: then a denial need not be one. */
  readonly missing: readonly string[];
}

export interface Question {
  /** ARN of a role or a user; a session's own ARN is refused by IAM. */
  readonly principal: string;
  readonly actions: readonly string[];
  /** ARNs: every action is asked for each of them. */
  readonly resources: readonly string[];
  /** Condition keys with their values, such as `iam:PassedToService`. */
  readonly context?: Readonly<Record<string, string>>;
}

export interface Iam {
  /** The ARN of a role, with its path, which the ARN of a session lacks; undefined where there is no such role. */
  role(name: string): Promise<string | undefined>;
  /** Equal questions of the same moment are one call. Throws where the caller may not ask. */
  simulate(question: Question): Promise<readonly Decision[]>;
}

/** One for each resource that was asked for; one for all where none was, or `*`. */
function decisionsIn(result: EvaluationResult): readonly Decision[] {
  const {EvalActionName: action = '', EvalDecision: decision, MissingContextValues: missing = []} = result;
  const resources = result.ResourceSpecificResults ?? [];
  if (resources.length === 0) return [{action, resource: '*', is: decision ?? 'implicitDeny', missing}];
  return resources.map(
    ({EvalResourceName: resource = '*', EvalResourceDecision: is = 'implicitDeny', MissingContextValues = []}) => ({
      action,
      resource,
      is,
      missing: MissingContextValues,
    }),
  );
}

export function createIam(session: Session): Iam {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-iam');
    return {...module, client: new module.IAMClient(clientConfig(session.options, 'IAM', 'read'))};
  });

  const ask = async ({principal, actions, resources, context = {}}: Question): Promise<readonly Decision[]> => {
    const {found} = await paged({
      ask: Marker =>
        session.read('iam:SimulatePrincipalPolicy', async () => {
          const {client, SimulatePrincipalPolicyCommand} = await sdk();
          return client.send(
            new SimulatePrincipalPolicyCommand({
              PolicySourceArn: principal,
              ActionNames: [...actions],
              ResourceArns: [...resources],
              ContextEntries: Object.entries(context).map(([name, value]) => ({
                ContextKeyName: name,
                ContextKeyType: 'string' as const,
                ContextKeyValues: [value],
              })),
              Marker,
            }),
          );
        }),
      items: ({EvaluationResults = []}) => EvaluationResults.flatMap(decisionsIn),
      next: ({IsTruncated, Marker}) => (IsTruncated ? Marker : undefined),
    });
    return found;
  };

  const roles = new Map<string, string | undefined>();
  const asking = new Map<string, Promise<readonly Decision[]>>();
  return {
    role: async name => {
      if (roles.has(name)) return roles.get(name);
      const call = session.read('iam:GetRole', async () => {
        const {client, GetRoleCommand} = await sdk();
        return client.send(new GetRoleCommand({RoleName: name}));
      });
      const found = await ifThere(call, 'NoSuchEntity', 'NoSuchEntityException');
      if (found !== undefined) roles.set(name, found.Role?.Arn);
      return found?.Role?.Arn;
    },
    simulate: question => {
      const key = JSON.stringify(question);
      const known = asking.get(key);
      if (known !== undefined) return known;
      const answer = ask(question).finally(() => asking.delete(key));
      asking.set(key, answer);
      return answer;
    },
  };
}
