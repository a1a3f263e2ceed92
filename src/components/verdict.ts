/** Shorthands for what a check says. */
import type {Check, Claim} from '../release/model.ts';

export type Verdict = Check['status'];

type More = Pick<Check, 'evidence' | 'next' | 'cause' | 'waitable' | 'see'>;

function verdict(status: Verdict) {
  return (claim: Claim, found: string, more: More = {}): Check => ({claim: claim.id, text: claim.text, status, found, ...more});
}

export const passed = verdict('passed');
export const failed = verdict('failed');
export const pending = verdict('pending');
export const open = verdict('open');
export const warned = verdict('warned');
