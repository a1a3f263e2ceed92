/** How bad a change is. Without a schema: what only tells of changes loads none. */

/** What a change does to what it touches, worst last. `replace` creates first, `outage` destroys first. */
export const risks = ['none', 'create', 'update', 'trigger', 'replace', 'outage', 'forget', 'destroy'] as const;
export type Risk = (typeof risks)[number];

/** What is unusual about a change, whatever its risk. `unlisted`: outside the component's `allowChanges`. */
export const flags = ['downgrade', 'overwrite-tag', 'republish', 'unlisted'] as const;
export type Flag = (typeof flags)[number];

/** The worse of two risks. */
export function worse(a: Risk, b: Risk): Risk {
  return risks.indexOf(a) >= risks.indexOf(b) ? a : b;
}

/** The worst that a component's plan does; `none` for a plan without changes. */
export function riskOf(component: {readonly changes: readonly {readonly risk: Risk}[]}): Risk {
  return component.changes.reduce<Risk>((worst, change) => worse(worst, change.risk), 'none');
}

/** Whether applying would do anything. */
export function isNoop(component: {readonly changes: readonly {readonly risk: Risk}[]}): boolean {
  return component.changes.every(change => change.risk === 'none');
}
