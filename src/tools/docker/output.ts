/** What a build prints, whatever builds: lines for people, and how far it is. */
import type {Builder} from './builder.ts';
import {buildKitBuild, legacyBuild, Reader, type Progress} from './progress.ts';
import {RawJsonText, rawJsonBuild, readSolveStatus} from './raw-json.ts';

export interface BuildOutput {
  /** Takes one line as docker prints it. */
  read(line: string): void;
  /** The end of what was said, where docker's own lines are not for people. */
  lastLines(): readonly string[] | undefined;
}

const linesKept = 10;

export function buildOutput(
  builder: Builder,
  onProgress: (progress: Progress) => void,
  onLine: (line: string) => void,
): BuildOutput {
  if (builder.is === 'buildx' && builder.rawJson) return rawJsonOutput(onProgress, onLine);
  const reader = builder.is === 'legacy' ? new Reader(legacyBuild, onProgress) : new Reader(buildKitBuild, onProgress);
  return {
    read(line) {
      reader.read(line);
      onLine(line);
    },
    lastLines: () => undefined,
  };
}

function rawJsonOutput(onProgress: (progress: Progress) => void, onLine: (line: string) => void): BuildOutput {
  const reader = new Reader(rawJsonBuild, onProgress);
  const text = new RawJsonText();
  const last: string[] = [];
  const say = (line: string): void => {
    onLine(line);
    if (line.trim() !== '') last.push(line.trimEnd());
    if (last.length > linesKept) last.shift();
  };
  return {
    read(line) {
      const status = readSolveStatus(line);
      if (status === undefined) return say(line);
      reader.read(status);
      text.read(status).forEach(say);
    },
    lastLines: () => last,
  };
}
