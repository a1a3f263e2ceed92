/** Edits of text files: atomic, only of the file that was read, and taken back only while it is still ours. */
import {createHash} from 'node:crypto';
import {type FileHandle, access, constants, open, readFile, realpath, rename, rm, stat} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {DeployError} from '../release/errors.ts';

export interface Edit {
  readonly path: string;
  /** SHA-256 of the file's bytes as it was read, in hexadecimal digits. */
  readonly before: string;
  /** The same of `text` in UTF-8. */
  readonly after: string;
  /** The whole new content. */
  readonly text: string;
}

/** A byte order mark stays part of the text: what is written back has it again. */
const utf8 = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true});

/** Throws DeployError when the file is missing, a folder, not to be read, or not UTF-8. */
export async function readText(path: string): Promise<{text: string; sha256: string}> {
  const bytes = await readBytes(path);
  try {
    return {text: utf8.decode(bytes), sha256: sha256(bytes)};
  } catch (cause) {
    throw new DeployError(`${path} is not a text file in UTF-8.`, {cause, next: ['Save it as UTF-8.']});
  }
}

/**
 * Replaces the file's content; whoever reads it meanwhile sees the old or the new one, whole. Its permissions and owner stay, and
 * so does a symbolic link to it. Does nothing when that has happened already. Throws DeployError when the file is another one
 * than was read, or cannot be written.
 */
export async function applyEdit(edit: Edit): Promise<void> {
  if (sha256(edit.text) !== edit.after) throw new Error(`The edit of ${edit.path} does not have the hash it says.`);
  return inTurn(edit.path, async () => {
    const found = sha256(await readBytes(edit.path));
    if (found === edit.after) return;
    if (found !== edit.before) {
      throw new DeployError(`${edit.path} has changed since it was read.`, {
        means: 'It was left as it is.',
        next: ['Look at the file, and start again.'],
      });
    }
    await replace(edit.path, edit.text);
  });
}

/**
 * Puts back what was there before the edit. True when the file holds `original` then (or did already), false when it is no
 * longer ours: somebody changed or removed it. Throws DeployError when it cannot be written.
 */
export async function revertEdit(edit: Edit, original: string): Promise<boolean> {
  if (sha256(original) !== edit.before)
    throw new Error(`What is to be put back into ${edit.path} was not there before the edit.`);
  return inTurn(edit.path, async () => {
    const found = await readFile(edit.path).then(sha256, () => undefined);
    if (found === edit.before) return true;
    if (found !== edit.after) return false;
    await replace(edit.path, original);
    return true;
  });
}

/** The edits of a file, one after the other: components may share one. */
async function inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
  const turn = (turns.get(path) ?? Promise.resolve()).then(work);
  turns.set(
    path,
    turn.catch(() => undefined),
  );
  return turn;
}

const turns = new Map<string, Promise<unknown>>();

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

async function readBytes(path: string): Promise<Buffer> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
    throw new DeployError(`${path} ${unreadable[error.code ?? ''] ?? `cannot be read: ${error.message}`}.`, {
      cause: error,
      ...(missing && {next: ['Make it, or correct its path in the config file.']}),
    });
  });
}

const unreadable: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a folder',
  EACCES: 'cannot be read: permission denied',
};

async function replace(path: string, text: string): Promise<void> {
  try {
    // Replacing takes a writable folder only: without this a write-protected file would be overwritten.
    await access(path, constants.W_OK);
    await writeWhole(await realpath(path), text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeployError(`${path} cannot be written: ${reason}`, {cause, means: 'It was left as it is.'});
  }
}

/**
 * The draft has one name: what a process that was killed here has left behind, the next one that makes this edit takes away. It
 * would stay in a work tree for ever otherwise, and in every image that is built from it.
 */
async function writeWhole(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.deploy-wizard`);
  await rm(draft, {force: true});
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await keepOwner(file, path);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, {force: true});
    throw error;
  }
}

async function keepOwner(file: FileHandle, path: string): Promise<void> {
  const [old, now] = [await stat(path), await file.stat()];
  // Only root may give files away; a file of somebody else that we may write becomes ours.
  if (old.uid !== now.uid || old.gid !== now.gid) await file.chown(old.uid, old.gid).catch(() => undefined);
  await file.chmod(old.mode & 0o7777);
}
