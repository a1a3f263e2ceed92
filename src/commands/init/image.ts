/** The image that a repository builds, as its own files name it: a project's name on a remote is no name in a registry. */
import {readFile} from 'node:fs/promises';
import path from 'node:path';

/** Files that name images: what Terraform is told, what it does, and what runs in CI. */
const speaking = [
  /\.tfvars(?:\.json)?$/,
  /\.(?:tf|tf\.json|tftpl|tpl)$/,
  /(?:^|\/)(?:\.gitlab-ci|\.travis|circle|bitbucket-pipelines|azure-pipelines|buildspec|(?:docker-)?compose[\w.-]*)\.ya?ml$/,
  /(?:^|\/)(?:Jenkinsfile|Makefile)[\w.-]*$|\.sh$/,
] as const;
/** Of these files, at most. */
const most = 200;

/**
 * Its repository, without a tag; undefined where no file names one. `files`: relative to the folder. `workflows`: what runs in CI and
 * is none of them. `name`: of the project, which tells its own image from those that it only uses.
 */
export async function imageNamed(
  folder: string,
  files: readonly string[],
  {workflows, name}: {readonly workflows: string; readonly name: string},
): Promise<string | undefined> {
  const chosen = speaking.flatMap(form => files.filter(file => form.test(file))).slice(0, most);
  const texts = await Promise.all(chosen.map(file => readFile(path.join(folder, file), 'utf8').catch(() => '')));
  const isPath = (image: string) => files.some(file => file.startsWith(`${image}/`));
  const images = [...texts, workflows].flatMap(text => imagesIn(text, name.toLowerCase())).filter(image => !isPath(image));
  return images.find(image => lastPart(image) === name.toLowerCase()) ?? images[0];
}

const part = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
/** With a registry or an owner: a word alone may be anything. Behind `}` it would be the rest of a name. */
const image = String.raw`(?<![\w./:@$}~%+-])(?<image>(?:${part}:\d+/)?${part}(?:/${part})+|${part}:\d+/${part})(?![\w/.-]|@(?!sha256))`;
const version = String.raw`(?=:\$\{var\.(?:\w+_)?(?:tag|version|release)\})`;
const pushed = new RegExp(String.raw`(?:\bdocker(?: image)? push|(?<=\s)(?:-t|--tag))[ =]["']?${image}`, 'g');
const run = new RegExp(`${image}${version}`, 'g');
const any = new RegExp(image, 'g');

const codeHost = /^(?:www\.)?(?:github\.com|gitlab\.com|bitbucket\.org)\//;

/** What is pushed, what Terraform runs on the version that it is told, and what is called like the project where images are. */
function imagesIn(text: string, name: string): readonly string[] {
  return text.split('\n').flatMap(line => {
    if (/^\s*(?:#|\/\/)/.test(line)) return [];
    const own = found(line, any).filter(one => lastPart(one) === name && (line.includes(`${one}:`) || aboutImages.test(line)));
    return [...found(line, pushed), ...found(line, run), ...own].filter(one => !codeHost.test(one));
  });
}

const aboutImages = /image|docker|container|registry/i;
const found = (line: string, form: RegExp) => [...line.matchAll(form)].flatMap(({groups}) => groups?.['image'] ?? []);
const lastPart = (image: string) => image.slice(image.lastIndexOf('/') + 1);
