/** How something that starts a definition names it: an ARN, `name:revision`, or a name alone. */
import * as z from 'zod';

export interface Reference {
  readonly name: string;
  /** Undefined where the newest active revision is meant. */
  readonly revision: number | undefined;
}

export function parseReference(text: string): Reference {
  const [, name = '', digits] = /^(.*?)(?::(\d+))?$/s.exec(shortReference(text)) ?? [];
  return {name, revision: digits === undefined ? undefined : Number(digits)};
}

/** The same reference to another revision. What names none, means the newest, and stays. */
export function atRevision(text: string, revision: number): string {
  return text.replace(/:\d+$/, `:${revision}`);
}

/** `pass-loader:7` of an ARN, or of itself. */
export function shortReference(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1);
}

/** A definition that targets are searched for: a family of task definitions, or a job definition. Kept in plans and records. */
export const wanted = z.object({service: z.enum(['ecs', 'batch']), name: z.string()});
export type Wanted = z.infer<typeof wanted>;

/** Whether a reference is to any revision of what is wanted. */
export function isOf({name}: Wanted, reference: string | undefined): reference is string {
  return reference !== undefined && parseReference(reference).name === name;
}
