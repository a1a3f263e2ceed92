/** What folds in the log of a CI service: a section a stage of the release. */
import {closeGroup, onGitHub, openGroup} from './github.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** The line that begins or ends a section. `at`: milliseconds since the epoch. */
export interface Sections {
  open(title: string, at: number): string;
  close(title: string, at: number): string;
}

const github: Sections = {open: openGroup, close: () => closeGroup};

/** https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections */
const gitlab: Sections = {
  open: (title, at) => `${gitlabMark('start', title, at)}${title}`,
  close: (title, at) => gitlabMark('end', title, at),
};

function gitlabMark(end: 'start' | 'end', title: string, at: number): string {
  return `\u001B[0Ksection_${end}:${Math.floor(at / 1000)}:deploy_wizard_${title.replaceAll(/\W+/g, '_')}\r\u001B[0K`;
}

/** Undefined where nothing folds: Jenkins, a plain shell. */
export function sectionsOf(env: Env): Sections | undefined {
  if (onGitHub(env)) return github;
  return env['GITLAB_CI'] === 'true' ? gitlab : undefined;
}
