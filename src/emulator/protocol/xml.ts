/** Answers as XML: structures, lists, and JavaScript maps for what AWS calls maps. What is undefined is left out. */

const ESCAPES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#xD;'};

const escapeText = (text: string): string => text.replaceAll(/[&<>"\r]/g, character => ESCAPES[character] ?? character);

/** An element in the Query protocol's style: lists as `<member>`, maps as `<entry>` with key and value. */
export const element = (name: string, value: unknown): string =>
  value === undefined ? '' : `<${name}>${content(value)}</${name}>`;

function content(value: unknown): string {
  if (typeof value !== 'object' || value === null) return escapeText(String(value));
  if (value instanceof Map)
    return Array.from(value, ([key, entry]: [unknown, unknown]) => element('entry', {key, value: entry})).join('');
  if (Array.isArray(value)) return value.map((member: unknown) => element('member', member)).join('');
  return Object.entries(value)
    .map(([name, child]: [string, unknown]) => element(name, child))
    .join('');
}
