import type {AwsError} from '../errors.ts';
import type {Outgoing} from './message.ts';
import {element} from './xml.ts';

/** AWS Query: a form with `Action` and `Version` in, XML out; structures are flattened into dotted names. */
const CONTENT_TYPE = 'text/xml';

/** A form's parameters as a tree: `Attributes.entry.1.key=a` → `{Attributes: {entry: {1: {key: 'a'}}}}`. */
export interface FormTree {
  readonly [name: string]: string | FormTree;
}

type Branch = Map<string, string | Branch>;

export function readForm(body: string): FormTree {
  const root: Branch = new Map();
  for (const [name, value] of new URLSearchParams(body)) {
    const path = name.split('.');
    const leaf = path.pop() ?? name;
    path.reduce(branch, root).set(leaf, value);
  }
  return toTree(root);
}

function branch(parent: Branch, step: string): Branch {
  const present = parent.get(step);
  if (present instanceof Map) return present;
  const created: Branch = new Map();
  parent.set(step, created);
  return created;
}

// From entries, so that a parameter called `__proto__` is only a parameter.
const toTree = (branch: Branch): FormTree =>
  Object.fromEntries(Array.from(branch, ([name, value]) => [name, typeof value === 'string' ? value : toTree(value)]));

/** The entries of a flattened list or map (`entry.1`, `member.2`…), in the order of their numbers. */
export const numbered = <T>(tree: Readonly<Record<string, T>> | undefined): readonly T[] =>
  Object.entries(tree ?? {})
    .toSorted(([a], [b]) => Number(a) - Number(b))
    .map(([, value]) => value);

export const queryAnswer = (action: string, namespace: string, requestId: string, result: object): Outgoing => ({
  status: 200,
  contentType: CONTENT_TYPE,
  body: `<${action}Response xmlns="${namespace}">${element(`${action}Result`, result)}${element('ResponseMetadata', {RequestId: requestId})}</${action}Response>`,
});

export const queryError = ({code, message, status}: AwsError, namespace: string, requestId: string): Outgoing => ({
  status,
  contentType: CONTENT_TYPE,
  body: `<ErrorResponse xmlns="${namespace}">${element('Error', {Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message})}${element('RequestId', requestId)}</ErrorResponse>`,
});
