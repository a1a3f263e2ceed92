/** What a repository tells about how it is released: only looked at, and never for long. */
import {readFile, readdir} from 'node:fs/promises';
import path from 'node:path';
import {parseTfvars} from '../../components/tfvars.ts';
import {findVersion} from '../../components/version-file.ts';
import {parseVersion} from '../../release/version.ts';
import type {Git} from '../../tools/git.ts';
import {imageNamed} from './image.ts';

export interface FoundModule {
  /** Relative to the folder. */
  readonly directory: string;
  /** The variable file, relative to the directory; undefined where there is none. */
  readonly tfvars: string | undefined;
  /** The variable that holds the version, as far as its name and value tell. */
  readonly setting: string | undefined;
}

export interface FoundRepository {
  /** Last part of the remote's address, or the folder's name. */
  readonly name: string;
  /** `organisation/name` of the remote. */
  readonly project: string | undefined;
  /** The repository of the image that is built here, as its files name it. */
  readonly image: string | undefined;
  /** Relative paths, those nearest to the top first. */
  readonly dockerfiles: readonly string[];
  readonly versionFiles: readonly {readonly path: string; readonly version: string}[];
  readonly modules: readonly FoundModule[];
  /** Names of environments, as workflows and variable files have them. */
  readonly environments: readonly string[];
  /** As workflows say them. */
  readonly accountId: string | undefined;
  readonly region: string | undefined;
}

const passedBy = /^(?:\..*|node_modules|vendor|dist|build|target|venv|env|__pycache__|modules|test|tests|examples?)$/;
const deepest = 3;
/** Files and folders that are looked at, at most. */
const most = 5000;

const versionNames =
  /^(?:package\.json|pyproject\.toml|setup\.cfg|setup\.py|VERSION(?:\.txt)?|__init__\.py|_?_?version_?_?\.py|__about__\.py)$/;
const versionVariable = /^(?:.*_)?(?:image_tag|image_version|app_version|release|version|tag)$/;

export async function lookAtRepository(folder: string, git: Git): Promise<FoundRepository> {
  const files = await filesIn(folder);
  const root = await git.root(folder).catch(() => undefined);
  const url = root === undefined ? undefined : await git.remoteUrl(root).catch(() => undefined);
  const [, project] = /[/:]([^/:]+\/[^/:]+?)(?:\.git)?\/?$/.exec(url ?? '') ?? [];
  const workflows = await workflowTexts(root ?? folder);
  const named = files.flatMap(file => /^(?!terraform)([\w-]+)\.tfvars$/.exec(path.basename(file))?.[1] ?? []);
  const name = project?.split('/')[1] ?? path.basename(folder);
  return {
    name,
    project,
    image: await imageNamed(folder, files, {workflows, name}),
    dockerfiles: files.filter(file => /^Dockerfile(?:\.[\w-]+)?$/.test(path.basename(file))),
    versionFiles: await versionsIn(folder, files),
    modules: await modulesIn(folder, files),
    environments: [...new Set([...environmentsIn(workflows), ...named])],
    accountId: /\barn:aws[\w-]*:iam::(\d{12}):/.exec(workflows)?.[1],
    region: /\baws-region:\s*["']?([a-z]{2}(?:-[a-z]+)+-\d)\b/.exec(workflows)?.[1],
  };
}

/** Relative paths, those nearest to the top first. */
async function filesIn(folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  let here = [''];
  for (let depth = 0; depth <= deepest && files.length < most; depth++) {
    const next: string[] = [];
    for (const at of here) {
      const entries = await readdir(path.join(folder, at), {withFileTypes: true}).catch(() => []);
      for (const entry of entries.toSorted((a, b) => a.name.localeCompare(b.name))) {
        if (entry.isDirectory() && !passedBy.test(entry.name)) next.push(path.join(at, entry.name));
        else if (entry.isFile()) files.push(path.join(at, entry.name));
      }
    }
    here = next.slice(0, most);
  }
  return files.slice(0, most);
}

/** What GitHub Actions and CircleCI run: in folders that are not looked at otherwise. */
async function workflowTexts(root: string): Promise<string> {
  const folder = path.join(root, '.github', 'workflows');
  const names = (await readdir(folder).catch(() => [])).filter(name => /\.ya?ml$/.test(name));
  const files = [...names.map(name => path.join(folder, name)), path.join(root, '.circleci', 'config.yml')];
  return (await Promise.all(files.map(file => readFile(file, 'utf8').catch(() => '')))).join('\n');
}

/** `environment: staging`, or its `name:` on the next line. */
function environmentsIn(workflows: string): readonly string[] {
  return [...workflows.matchAll(/^\s*environment:(?:\s*\n\s*name:)?\s*["']?([A-Za-z][\w-]*)["']?\s*$/gm)].map(
    ([, name = '']) => name,
  );
}

async function versionsIn(folder: string, files: readonly string[]) {
  const candidates = files.filter(file => versionNames.test(path.basename(file)));
  const found = await Promise.all(
    candidates.map(async file => {
      try {
        const {version} = findVersion({path: file, text: await readFile(path.join(folder, file), 'utf8')});
        return [{path: file, version}];
      } catch {
        // It states none, or one that cannot be edited.
        return [];
      }
    }),
  );
  return found.flat();
}

async function modulesIn(folder: string, files: readonly string[]): Promise<readonly FoundModule[]> {
  const directories = [...new Set(files.filter(file => file.endsWith('.tf')).map(file => path.dirname(file)))];
  return Promise.all(
    directories.map(async directory => {
      const names = files
        .filter(file => path.dirname(file) === directory && /\.tfvars(?:\.json)?$/.test(file))
        .map(file => path.basename(file));
      const tfvars = names.find(name => name.startsWith('terraform.tfvars')) ?? names[0];
      return {directory, tfvars, setting: tfvars && (await settingIn(path.join(folder, directory, tfvars)))};
    }),
  );
}

/** The variable that looks most like the version: by its name, and by being one. */
async function settingIn(file: string): Promise<string | undefined> {
  try {
    const values = [...parseTfvars(await readFile(file, 'utf8'), file)].filter(([name]) => versionVariable.test(name));
    const isVersion = (text: string | undefined) => {
      try {
        return text !== undefined && parseVersion(text, file) === text;
      } catch {
        return false;
      }
    };
    return (values.find(([, {string}]) => isVersion(string)) ?? values[0])?.[0];
  } catch {
    return undefined;
  }
}
