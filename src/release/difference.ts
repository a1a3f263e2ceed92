/** What is different between two plans for the same release, in words: for whoever approved the first one. Pure. */
import type {AnyComponentPlan, Change, Detail, Plan} from './model.ts';

/** One line a difference, by component in the order of the second plan. Empty where both would do the same. */
export function planDifferences(before: Pick<Plan, 'components'>, after: Pick<Plan, 'components'>): readonly string[] {
  const old = new Map(before.components.map(part => [part.component, part]));
  const now = new Set(after.components.map(({component}) => component));
  return [
    ...after.components.flatMap(part => {
      const was = old.get(part.component);
      const lines = was === undefined ? ['is new in the plan'] : partDifferences(was, part);
      return lines.map(line => `${part.component}: ${line}`);
    }),
    ...before.components
      .filter(({component}) => !now.has(component))
      .map(({component}) => `${component}: is not in the plan any more`),
  ];
}

function partDifferences(before: AnyComponentPlan, after: AnyComponentPlan): readonly string[] {
  if (before.fingerprint === after.fingerprint) return [];
  const old = new Map(before.changes.map(change => [change.id, change]));
  const now = new Set(after.changes.map(({id}) => id));
  const lines = [
    ...(before.from === after.from ? [] : [`it starts from ${after.from ?? 'nothing'}, not from ${before.from ?? 'nothing'}`]),
    ...(before.to === after.to ? [] : [`it goes to ${after.to}, not to ${before.to}`]),
    ...after.changes.flatMap(change => {
      const was = old.get(change.id);
      return was === undefined ? [`also ${change.risk}: ${change.summary}`] : changeDifferences(was, change);
    }),
    ...before.changes.filter(({id}) => !now.has(id)).map(({risk, summary}) => `no longer ${risk}: ${summary}`),
    ...after.notes.filter(note => !before.notes.includes(note)),
    ...before.notes.filter(note => !after.notes.includes(note)).map(note => `no longer: ${note}`),
  ];
  // Not every difference can be shown: of what is sensitive, only that there is one.
  return lines.length > 0 ? lines : ['what it rests on is different, in nothing that is shown'];
}

function changeDifferences(before: Change, after: Change): readonly string[] {
  const old = new Map(before.details.map(detail => [detail.name, detail]));
  const now = new Set(after.details.map(({name}) => name));
  const flags = after.flags.filter(flag => !before.flags.includes(flag));
  return [
    ...(before.risk === after.risk ? [] : [`${after.summary}: ${after.risk}, not ${before.risk}`]),
    ...(before.summary === after.summary || before.risk !== after.risk ? [] : [`${after.summary}, not ${before.summary}`]),
    ...flags.map(flag => `${after.summary}: ${flag}`),
    ...after.details.flatMap(detail => {
      const was = old.get(detail.name);
      return was !== undefined && same(was, detail)
        ? []
        : [`${after.summary}: ${detail.name} ${tell(detail)}${was ? `, not ${tell(was)}` : ''}`];
    }),
    ...before.details.filter(({name}) => !now.has(name)).map(({name}) => `${after.summary}: ${name} stays`),
  ];
}

function same(a: Detail, b: Detail): boolean {
  return a.before === b.before && a.after === b.after;
}

function tell({before, after, sensitive}: Detail): string {
  return sensitive ? '(sensitive)' : `${before ?? '(none)'} → ${after ?? '(none)'}`;
}
