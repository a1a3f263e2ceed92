/** The one redaction: every text on its way to a screen, a log, the record or a report passes it. */

export interface Redaction {
  /** From now on, this text is hidden wherever it occurs. Short ones are ignored: they would hide half of everything. */
  learn(secret: string): void;
  /** The text without any known secret. */
  text(text: string): string;
  /** The same for every string in a JSON value, keys included. */
  deep<T>(value: T): T;
}

export const hidden = '•••';

/** Below this a "secret" is too common a word to be replaced everywhere (`true`, `80`, `dev`). */
const shortest = 4;

export function createRedaction(): Redaction {
  const secrets = new Set<string>();
  let pattern: RegExp | undefined;

  const text = (input: string) => (pattern === undefined ? input : input.replace(pattern, hidden));
  const deep = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(deep);
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [text(key), deep(item)]));
    }
    return value;
  };

  return {
    text,
    deep: <T>(value: T): T => {
      if (pattern === undefined) return value;
      // The shape stays: strings become strings.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return deep(value) as T;
    },
    learn: secret => {
      for (const form of formsOf(secret)) secrets.add(form);
      // Longest first, so that a secret that holds another is hidden whole.
      const forms = [...secrets].sort((a, b) => b.length - a.length).map(escapeRegExp);
      pattern = forms.length === 0 ? undefined : new RegExp(forms.join('|'), 'g');
    },
  };
}

/** A secret as it is, line by line (a key file is cut into lines by a log), and as JSON and URLs write it. */
function formsOf(secret: string): readonly string[] {
  const forms = [secret, ...secret.split(/\r?\n/).map(line => line.trim())].flatMap(form => [
    form,
    JSON.stringify(form).slice(1, -1),
    encodeURIComponent(form),
    Buffer.from(form).toString('base64'),
  ]);
  return [...new Set(forms)].filter(form => form.length >= shortest);
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}
