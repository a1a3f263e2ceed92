/** What the caller may do, asked without doing it. */
import type {EvaluationResult} from '@aws-sdk/client-iam';
import {type AwsOptions, clientConfig, errorName, lazy, read} from './session.ts';

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

export function createIam(options: AwsOptions): Iam {
  const sdk = lazy(async () => {
    const module = await import('@aws-sdk/client-iam');
    return {...module, client: new module.IAMClient(clientConfig(options, 'IAM', 'read'))};
  });

  const ask = (question: Question): Promise<readonly Decision[]> =>
    read(options, 'iam:SimulatePrincipalPolicy', async () => {
      const {client, SimulatePrincipalPolicyCommand} = await sdk();
      const decisions: Decision[] = [];
      let marker: string | undefined;
      do {
        const answer = await client.send(
          new SimulatePrincipalPolicyCommand({
            PolicySourceArn: question.principal,
            ActionNames: [...question.actions],
            ResourceArns: [...question.resources],
            ContextEntries: Object.entries(question.context ?? {}).map(([name, value]) => ({
              ContextKeyName: name,
              ContextKeyType: 'string' as const,
              ContextKeyValues: [value],
            })),
            ...(marker && {Marker: marker}),
          }),
        );
        decisions.push(...(answer.EvaluationResults ?? []).flatMap(decisionsIn));
        marker = answer.IsTruncated ? answer.Marker : undefined;
      } while (marker !== undefined);
      return decisions;
    });

  const roles = new Map<string, string | undefined>();
  const asking = new Map<string, Promise<readonly Decision[]>>();
  return {
    role: async name => {
      if (roles.has(name)) return roles.get(name);
      try {
        const arn = await read(options, 'iam:GetRole', async () => {
          const {client, GetRoleCommand} = await sdk();
          const {Role} = await client.send(new GetRoleCommand({RoleName: name}));
          return Role?.Arn;
        });
        roles.set(name, arn);
        return arn;
      } catch (error) {
        if (['NoSuchEntity', 'NoSuchEntityException'].includes(errorName(error))) return undefined;
        throw error;
      }
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
