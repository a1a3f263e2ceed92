/** What the caller may do, asked without doing it. */
import {setTimeout} from 'node:timers/promises';
import type {EvaluationResult} from '@aws-sdk/client-iam';
import {batched} from './batched.ts';
import {clientConfig} from './clients.ts';
import {isRefused} from './errors.ts';
import {paged} from './paged.ts';
import {type Session, ifThere, lazy} from './session.ts';
import {together} from './together.ts';

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
  /** Questions of the same moment that differ in their resources only are one call. Throws where the caller may not ask. */
  simulate(question: Question): Promise<readonly Decision[]>;
}

/** Resources that are asked about at once; each decision of each action is an entry of the answer. */
const most = 25;
/** How long questions are gathered: the components of a release ask one after another. Milliseconds. */
const gathering = 100;

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

  const simulate = async ({principal, actions, context = {}}: Omit<Question, 'resources'>, resources: readonly string[]) => {
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

  /** By `principal, actions, context` as JSON; the questions about one and another resource come within a moment. */
  const decisions = batched<readonly Decision[]>(
    most,
    async (group, resources) => {
      const question: Omit<Question, 'resources'> = JSON.parse(group);
      const each = () => resources.map(resource => simulate(question, [resource]));
      if (resources.length === 1) return each();
      const answer = await simulate(question, resources).catch((error: unknown) => {
        if (isRefused(error)) return undefined;
        throw error;
      });
      const found = Map.groupBy(answer ?? [], ({resource}) => resource);
      // One that IAM does not take makes it refuse them all, and it may name them otherwise: each is asked about alone then.
      const isWhole = resources.every(resource => found.get(resource)?.length === question.actions.length);
      return isWhole ? resources.map(resource => found.get(resource)) : each();
    },
    () => setTimeout(gathering),
  );

  /** The caller's own, which is what it is for as long as its session lasts. */
  const role = together(
    async (name: string) => {
      const call = session.read('iam:GetRole', async () => {
        const {client, GetRoleCommand} = await sdk();
        return client.send(new GetRoleCommand({RoleName: name}));
      });
      return (await ifThere(call, 'NoSuchEntity', 'NoSuchEntityException'))?.Role?.Arn;
    },
    {lasts: Infinity, now: session.timer.now},
  );

  return {
    role: role.ask,
    simulate: async ({resources, ...question}) => {
      const found = await Promise.all(resources.map(resource => decisions(JSON.stringify(question), resource)));
      return found.flatMap(some => some ?? []);
    },
  };
}
