/** The words of the key table. */
import type {Scene} from '../scene.ts';
import type {Action} from '../state/model.ts';

/** What a key does now; nothing, where it does not apply. */
export type Act = (scene: Scene) => Action | undefined;

/**
 * One entry of the key table: some keys that belong together, and how people are told about them. The same entry
 * reacts to the keys, stands in the help bar or among the choices of a question, and is listed by `?`.
 */
export interface Binding {
  /** By key name (`up`, `enter`, `ctrl+u`, `j`). */
  readonly keys: Readonly<Record<string, Act>>;
  readonly label: string;
  readonly does: string | ((scene: Scene) => string);
  /** `choice`: an answer to the question that is asked; `help`: too well known for the bar. */
  readonly place: 'bar' | 'choice' | 'help';
  /** Where it does not hold, the keys do nothing and nobody is told of them. */
  readonly when?: (scene: Scene) => boolean;
}

/** A field that takes what is typed and pasted. */
export interface Field {
  text(scene: Scene): string;
  set(scene: Scene, text: string): Action | undefined;
  /** In characters. Default: more than anybody types, and less than somebody may paste. */
  readonly longest?: number;
}

export interface ModeKeys {
  readonly bindings: readonly Binding[];
  /** Takes every printable key. Letters are no commands then. */
  readonly field?: Field;
  /** Takes what is pasted, where keys are commands. */
  readonly paste?: (scene: Scene, text: string) => Action | undefined;
}

/** The same act under several keys. */
export function keys(names: readonly string[], act: Act): Readonly<Record<string, Act>> {
  return Object.fromEntries(names.map(name => [name, act]));
}
