/** OSC 8: what a terminal shows as a link. The text of a link is the plain URL itself, so that nothing is lost without it. */
type Env = Readonly<Record<string, string | undefined>>;

const programs: ReadonlySet<string | undefined> = new Set(['iTerm.app', 'WezTerm', 'vscode', 'ghostty', 'Hyper', 'Tabby', 'rio']);

/** Terminals that are known to show links; the others may print the sequence. */
export function supportsLinks(env: Env): boolean {
  const forced = env['FORCE_HYPERLINK'];
  if (forced !== undefined) return forced !== '0' && forced !== '';
  if (env['TERM'] === 'dumb' || env['TERM'] === 'linux' || env['CI'] !== undefined) return false;
  return (
    programs.has(env['TERM_PROGRAM']) ||
    Number(env['VTE_VERSION'] ?? 0) >= 5000 ||
    env['WT_SESSION'] !== undefined ||
    env['KONSOLE_VERSION'] !== undefined ||
    /kitty|alacritty|foot|contour/.test(env['TERM'] ?? '')
  );
}

const urls = /https?:\/\/[^\s"'<>()[\]]+[^\s"'<>()[\].,;:!?]/g;

/** A cleaned line with its URLs as links. */
export function withLinks(line: string): string {
  return line.replaceAll(urls, url => `\u001B]8;;${url}\u001B\\${url}\u001B]8;;\u001B\\`);
}
