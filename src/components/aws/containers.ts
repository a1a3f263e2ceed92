/**
 * Where definitions keep the images of their containers: task definitions in `containerDefinitions`, job definitions in
 * `containerProperties` (one, without a name) or in `ecsProperties` (by name).
 */
import type {Json} from '../../release/json.ts';

/** What a definition is registered with. */
export type Input = {readonly [key: string]: Json};

/** What a container without a name is called in `images:`. */
const unnamed = 'default';

/** Gets a container under the names that `images:` may call it by, and gives what takes its place. */
type Change = (container: Input, names: readonly string[]) => Input;

/** The input with every container changed; everything else as it was. */
export function mapContainers(input: Input, change: Change): Input {
  const {containerDefinitions, containerProperties, ecsProperties} = input;
  return {
    ...input,
    ...(containerDefinitions !== undefined && {
      containerDefinitions: objects(containerDefinitions).map(one => change(one, nameOf(one))),
    }),
    ...(isObject(containerProperties) && {containerProperties: change(containerProperties, [unnamed])}),
    ...(isObject(ecsProperties) && {ecsProperties: mapTasks(ecsProperties, change)}),
  };
}

function mapTasks(ecsProperties: Input, change: Change): Input {
  const tasks = objects(ecsProperties['taskProperties']);
  const all = tasks.flatMap(task => objects(task['containers']));
  const names = (container: Input) => [...nameOf(container), ...(all.length === 1 ? [unnamed] : [])];
  return {
    ...ecsProperties,
    taskProperties: tasks.map(task => ({
      ...task,
      containers: objects(task['containers']).map(one => change(one, names(one))),
    })),
  };
}

/** The image of each container, by every name that it may be called by. */
export function imagesIn(input: Input): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  mapContainers(input, (container, names) => {
    const {image} = container;
    if (typeof image === 'string') for (const name of names) found.set(name, image);
    return container;
  });
  return found;
}

/** Why the images of a definition cannot be replaced, whatever they are called; undefined where they can. */
export function unsupported({nodeProperties, eksProperties}: Input): string | undefined {
  if (nodeProperties !== undefined) return 'it is for several nodes (nodeProperties): deploy-wizard releases those of one node';
  if (eksProperties !== undefined) return 'it runs on EKS (eksProperties): deploy-wizard releases those that run on ECS';
  return undefined;
}

export function isObject(value: Json | undefined): value is Input {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function objects(value: Json | undefined): readonly Input[] {
  return Array.isArray(value) ? value.filter((item: Json) => isObject(item)) : [];
}

function nameOf({name}: Input): readonly string[] {
  return typeof name === 'string' ? [name] : [];
}
