/** What `doctor` found, for people: a section for each thing that was looked at, and the way to mend what is wrong. */
import type {Check} from '../release/model.ts';
import {tableLines} from './table.ts';
import {checkMark, linesFor, marks} from './words.ts';

/** As `doctor --output json` writes it. */
export interface DoctorReport {
  readonly schema: 1;
  readonly tool: {readonly version: string; readonly node: string};
  /** Whether nothing failed. */
  readonly passed: boolean;
  readonly sections: readonly DoctorSection[];
}

export interface DoctorSection {
  /** `config`, `tools`, `records`, or the name of an environment. */
  readonly name: string;
  readonly checks: readonly Check[];
}

export function doctorLines(env: Readonly<Record<string, string | undefined>>, {sections}: DoctorReport): readonly string[] {
  const glyphs = marks(env);
  const plain = linesFor(env);
  const failures = sections.flatMap(({checks}) => checks.filter(({status}) => status === 'failed')).length;
  const end =
    failures === 0 ? 'Nothing is wrong.' : `${failures === 1 ? 'One thing is' : `${failures} things are`} to be mended.`;
  return [
    ...sections.flatMap(({name, checks}) => {
      const [first, others] = [
        checks.map(check => plain(check.found)[0] ?? ''),
        checks.map(check => plain(check.found).slice(1)),
      ];
      const rows = tableLines(
        checks.map(({text, status}, index) => [`  ${checkMark(glyphs, status)} ${plain(text)[0]}`, first[index] ?? '']),
      );
      const lines = checks.flatMap(({next}, index) => [
        rows[index] ?? '',
        ...(others[index] ?? []).map(line => `      ${line}`),
        ...(next === undefined ? [] : plain(`      → ${next}`)),
      ]);
      return [...plain(name), ...lines, ''];
    }),
    end,
  ];
}
