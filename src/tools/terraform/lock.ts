import type {Diagnostic} from './stream.ts';

/** Who holds the state lock, as far as the backend tells. */
export interface LockHolder {
  readonly id: string;
  /** `user@host` */
  readonly who?: string;
  /** `apply`, `plan`, … */
  readonly operation?: string;
  /** As Terraform prints it, to the second: `2026-11-21 20:00:00 UTC`. */
  readonly since?: string;
  readonly path?: string;
}

/**
 * Who holds the lock, from the text of "Error acquiring the state lock". Undefined when nobody does: the lock could not be asked for
 * (no permission, no such table).
 *
 * The local and S3 backends print the holder's block. The http backend prints the block of the one who *asked*, and of the holder
 * nothing but its id in the first line (measured on 1.11.4): naming the operator as the holder would be a lie.
 */
export function lockHolder({detail}: Pick<Diagnostic, 'detail'>): LockHolder | undefined {
  const holderOnly = /already locked: ID=(?<id>\S+)/.exec(detail)?.groups?.['id'];
  const block = Object.fromEntries(
    Array.from(detail.matchAll(/^ {2}(?<name>[A-Z]\w*):[ \t]*(?<value>.*?)[ \t]*$/gm), ({groups}) => [
      groups?.['name'],
      groups?.['value'],
    ]),
  );
  const id = block['ID'];
  if (holderOnly !== undefined && holderOnly !== id) return {id: holderOnly};
  if (!id) return undefined;
  return {
    id,
    ...(block['Who'] && {who: block['Who']}),
    ...(block['Operation'] && {operation: block['Operation'].replace(/^OperationType/, '').toLowerCase()}),
    ...(block['Created'] && {since: toTheSecond(block['Created'])}),
    ...(block['Path'] && {path: block['Path']}),
  };
}

/** `The Terraform state is locked by alice@build since 2026-11-21 20:00:00 UTC (apply).` */
export function tellLock({id, who, operation, since}: LockHolder): string {
  const by = who === undefined ? ` (lock ${id})` : ` by ${who}`;
  return `The Terraform state is locked${by}${since ? ` since ${since}` : ''}${operation ? ` (${operation})` : ''}.`;
}

/** Go prints `2026-11-21 22:17:26.459506033 +0000 UTC`. */
function toTheSecond(time: string): string {
  return time.replace(/\.\d+/, '').replace(/ \+0000 UTC$/, ' UTC');
}
