/** A task that EventBridge rules start: a new revision of its family, and every target that pins an old one moved to it. */
import {z} from 'zod';
import {type ComponentKind, type Step, step} from '../release/contract.ts';
import {DeployError} from '../release/errors.ts';
import {fingerprint} from '../release/json.ts';
import type {Change, Check, Claim} from '../release/model.ts';
import {isDowngrade} from '../release/version.ts';
import type {TaskDefinition} from '../tools/aws/ecs.ts';
import type {Rule} from '../tools/aws/eventbridge.ts';
import {checkShared, imageClaim, sessionClaim, withoutSession} from './aws/requirements.ts';
import {
  containerImage,
  correctImages,
  imageDetails,
  imagesSetting,
  movedTag,
  missingContainer,
  register,
  revisionOf,
  resolveImages,
  revisionPlan,
  runsImages,
  settingsCount,
  shortArn,
  versionIn,
  withImages,
} from './aws/task-definition.ts';
import {type Pin, familyTargets, isPinned, newestPin, pointAt} from './aws/rule-targets.ts';
import type {Io} from './io.ts';
import {failed, passed} from './verdict.ts';

export const ecsScheduledTaskConfig = z.strictObject({
  kind: z.literal('ecs-scheduled-task'),
  needs: z.array(z.string()).optional(),
  family: z.string().min(1),
  images: imagesSetting,
  targets: z
    .array(z.strictObject({rule: z.string().min(1).describe('Name of an EventBridge rule, or bus/name')}))
    .min(1)
    .describe('What starts the task: every target of these that pins a revision of the family is moved'),
});
type Config = z.infer<typeof ecsScheduledTaskConfig>;

const state = z.object({taskDefinition: z.string()});
type State = z.infer<typeof state>;

const pin = z.object({rule: z.object({name: z.string(), bus: z.string()}), target: z.string(), taskDefinition: z.string()});

const payload = z.object({
  family: z.string(),
  from: z.string(),
  register: revisionPlan.nullable(),
  existing: z.string().nullable(),
  images: z.array(containerImage),
  /** The targets that are to be moved, and what each starts now. */
  moves: z.array(pin),
  /** All targets that pin a revision of the family, moved or not: what is proved afterwards. */
  targets: z.array(pin),
});
type Payload = z.infer<typeof payload>;

export const ecsScheduledTask: ComponentKind<Config, State, Payload, Io> = {
  kind: 'ecs-scheduled-task',
  config: ecsScheduledTaskConfig,
  state,
  payload,

  requirements: (component, target) => [
    sessionClaim(),
    ...component.targets.map(({rule}) => ({
      id: `${component.id} rule ${rule}`,
      text: `${component.id}: rule ${rule} starts ${component.family}`,
      subject: {is: 'rule', rule, family: component.family, containers: Object.keys(component.images)},
    })),
    ...(target.is === 'release' ? Object.values(component.images).map(image => imageClaim(image, target.version)) : []),
  ],

  observe: async (component, io) => {
    const {definition} = await current(component, io);
    return {version: versionIn(definition, Object.keys(component.images)), state: {taskDefinition: definition.arn}};
  },

  prepare: async () => [],

  plan: async (component, target, io) => {
    const {definition, pins} = await current(component, io);
    const images = target.is === 'release' ? await resolveImages(component.images, target.version, io) : [];
    const from = versionIn(definition, Object.keys(component.images));
    const to = target.is === 'state' ? target.state.taskDefinition : undefined;
    const same = to === undefined ? runsImages(definition, images) : to === definition.arn;
    if (to === undefined) withImages(definition, images);
    const arn = same ? definition.arn : to;
    const pinned = pins.filter(isPinned);
    const moves = pinned.filter(({taskDefinition}) => taskDefinition !== arn);
    const payload: Payload = {
      family: component.family,
      from: definition.arn,
      register: arn === undefined ? {family: definition.family, base: definition.arn, images: [...images]} : null,
      existing: arn ?? null,
      images: [...images],
      moves: moves.map(toPin),
      targets: pinned.map(toPin),
    };
    const revision = arn === undefined ? 'new revision' : shortArn(arn);
    const flags: Change['flags'] = isDowngrade(from, target.version) ? ['downgrade'] : [];
    const registration: Change = {
      id: `family ${component.family}`,
      risk: 'update',
      summary: `task definition ${shortArn(definition.arn)} → ${revision}`,
      details: await imageDetails(definition, images, io),
      flags,
    };
    const schedules = await Promise.all(moves.map(move => moveChange(move, revision, io)));
    return {
      component: component.id,
      kind: component.kind,
      ...(from !== undefined && {from}),
      to: target.version,
      changes: [...(arn === undefined ? [registration] : []), ...schedules],
      notes: [
        ...(same && moves.length === 0 ? [`every schedule starts ${shortArn(definition.arn)} already`] : []),
        ...(arn === undefined ? [`everything else stays (${settingsCount(definition) - images.length} settings compared)`] : []),
        ...pins
          .filter(one => !isPinned(one))
          .map(({rule}) => `rule ${rule.name} names no revision: it starts the newest one as soon as it is registered`),
      ],
      fingerprint: fingerprint(payload),
      payload,
    };
  },

  recheck: async (component, {payload}, io) => {
    const {definition, pins} = await current(component, io);
    const now = pins.filter(isPinned).map(toPin);
    if (definition.arn !== payload.from || fingerprint(now) !== fingerprint(payload.targets)) {
      return `the schedules of ${payload.family} are not what was planned for`;
    }
    return movedTag(payload.images, io);
  },

  steps: (_component, {payload}) => [
    ...(payload.register ? [register(payload.register)] : []),
    ...[...Map.groupBy(payload.moves, ({rule}) => `${rule.bus}/${rule.name}`).values()].map(moves => moveStep(moves, payload)),
  ],

  claims: (component, {payload}, results) => {
    const taskDefinition = revisionOf(payload, results);
    return [
      {
        id: `${component.id} revision`,
        text: `${shortArn(taskDefinition)} has the released images`,
        subject: {is: 'revision', taskDefinition, images: payload.images},
      },
      ...payload.targets.map(({rule, target}) => ({
        id: `${component.id} rule ${rule.name} target ${target}`,
        text: `rule ${rule.name} starts ${shortArn(taskDefinition)}`,
        subject: {is: 'target', rule, target, taskDefinition},
      })),
    ];
  },

  check: async (component, claim, io) => (await checkShared(claim, io)) ?? checkOwn(component, claim, io),
};

function parseRule(text: string): Rule {
  const slash = text.indexOf('/');
  return slash === -1 ? {name: text, bus: 'default'} : {bus: text.slice(0, slash), name: text.slice(slash + 1)};
}

/** The revision that runs now: the newest that a target pins, or the family's newest where none is pinned. */
async function current(component: Config, io: Io): Promise<{readonly definition: TaskDefinition; readonly pins: readonly Pin[]}> {
  const pins = await familyTargets(
    component.targets.map(({rule}) => parseRule(rule)),
    component.family,
    io,
  );
  const definition = await io.aws.ecs.taskDefinition(newestPin(pins) ?? component.family);
  if (definition === undefined)
    throw new DeployError(`there is no task definition ${newestPin(pins) ?? component.family}`, {means: 'Nothing was changed.'});
  return {definition, pins};
}

function toPin({rule, target, taskDefinition}: Pin): z.infer<typeof pin> {
  return {rule: {name: rule.name, bus: rule.bus}, target, taskDefinition};
}

async function moveChange({rule, target, taskDefinition}: Pin, revision: string, io: Io): Promise<Change> {
  const found = await io.aws.events.rule(rule);
  const when =
    found?.schedule === undefined
      ? ''
      : `, ${found.schedule}${found.state === 'ENABLED' ? '' : `, ${found.state.toLowerCase()}`}`;
  return {
    id: `rule ${rule.bus}/${rule.name} target ${target}`,
    risk: 'update',
    summary: `rule ${rule.name} (target ${target}${when}) starts ${revision}`,
    details: [{name: 'starts', before: shortArn(taskDefinition), after: revision}],
    flags: [],
  };
}

const moveRequest = z.object({
  rule: pin.shape.rule,
  moves: z.array(z.object({target: z.string(), from: z.string()})),
  taskDefinition: z.string(),
});

/** Moves all targets of one rule at once. What each target holds besides is read again, and sent back as it was. */
function moveStep(moves: readonly z.infer<typeof pin>[], payload: Payload): Step<Io> {
  const [first] = moves;
  const rule = first?.rule ?? {name: '', bus: ''};
  return step({
    id: `move ${rule.bus}/${rule.name}`,
    phase: 'apply',
    title: `move rule ${rule.name} to it`,
    requestSchema: moveRequest,
    resultSchema: z.object({moved: z.number(), taskDefinition: z.string()}),
    request: async (_io: Io, results) => ({
      rule,
      moves: moves.map(({target, taskDefinition}) => ({target, from: taskDefinition})),
      taskDefinition: revisionOf(payload, results),
    }),
    perform: async (io, {rule, moves, taskDefinition}) => {
      const targets = await io.aws.events.targets(rule);
      const changed = moves.map(({target, from}) => {
        const now = targets.find(({Id}) => Id === target);
        const starts = now?.EcsParameters?.TaskDefinitionArn;
        // Some of them may have moved already: PutTargets can take a part.
        if (now === undefined || (starts !== from && starts !== taskDefinition)) {
          throw new DeployError(
            `target ${target} of rule ${rule.name} starts ${starts === undefined ? 'nothing' : shortArn(starts)}, not ${shortArn(from)} as planned`,
            {
              means: 'The schedule was left as it is.',
              final: true,
            },
          );
        }
        return pointAt(now, taskDefinition);
      });
      await io.aws.events.putTargets(rule, changed, ms => io.clock.sleep(ms, io.signal));
      return {moved: changed.length, taskDefinition};
    },
    settle: async (io, {rule, moves, taskDefinition}) => {
      const targets = await io.aws.events.targets(rule);
      const there = moves.every(
        ({target}) => targets.find(({Id}) => Id === target)?.EcsParameters?.TaskDefinitionArn === taskDefinition,
      );
      return there ? {done: {moved: moves.length, taskDefinition}} : 'absent';
    },
    tell: ({taskDefinition}) => `rule ${rule.name} starts ${shortArn(taskDefinition)}`,
  });
}

const own = z.discriminatedUnion('is', [
  z.object({is: z.literal('rule'), rule: z.string(), family: z.string(), containers: z.array(z.string())}),
  z.object({is: z.literal('revision'), taskDefinition: z.string(), images: z.array(containerImage)}),
  z.object({is: z.literal('target'), rule: pin.shape.rule, target: z.string(), taskDefinition: z.string()}),
]);

async function checkOwn(component: {readonly id: string}, claim: Claim, io: Io): Promise<Check> {
  const subject = own.parse(claim.subject);
  switch (subject.is) {
    case 'rule': {
      const unseen = await withoutSession(claim, io);
      if (unseen) return unseen;
      const rule = parseRule(subject.rule);
      if ((await io.aws.events.rule(rule)) === undefined)
        return failed(claim, `there is no rule ${rule.name} on bus ${rule.bus}`, {
          next: 'Correct `targets:` in the config file.',
        });
      const pins = await familyTargets([rule], subject.family, io);
      if (pins.length === 0)
        return failed(claim, `no target of it starts ${subject.family}`, {
          next: 'Correct `targets:` or `family:` in the config file.',
        });
      const base = newestPin(pins) ?? subject.family;
      const definition = await io.aws.ecs.taskDefinition(base);
      if (definition === undefined)
        return failed(claim, `there is no task definition ${shortArn(base)}`, {
          next: 'Register one, or correct what the rule starts.',
        });
      const missing = missingContainer(definition, subject.containers);
      if (missing !== undefined) return failed(claim, missing, {next: correctImages(component.id)});
      return passed(claim, pins.map(({target, taskDefinition}) => `${target}: ${shortArn(taskDefinition)}`).join(', '));
    }
    case 'revision': {
      const definition = await io.aws.ecs.taskDefinition(subject.taskDefinition);
      if (definition === undefined) return failed(claim, 'it is gone');
      if (definition.status !== 'ACTIVE') return failed(claim, `it is ${definition.status}: nothing can start it`);
      if (!runsImages(definition, subject.images)) return failed(claim, 'it names other images');
      // Each start resolves the tag anew.
      const moved = await movedTag(subject.images, io);
      if (moved !== undefined) return failed(claim, moved);
      return passed(claim, subject.images.map(({image}) => image.slice(image.indexOf('/') + 1)).join(', '));
    }
    case 'target': {
      const targets = await io.aws.events.targets(subject.rule);
      const now = targets.find(({Id}) => Id === subject.target)?.EcsParameters?.TaskDefinitionArn;
      return now === subject.taskDefinition
        ? passed(claim, `target ${subject.target}: ${shortArn(now)}`)
        : failed(claim, `target ${subject.target} starts ${now === undefined ? 'nothing' : shortArn(now)}`);
    }
  }
}
