import type {IncomingMessage, ServerResponse} from 'node:http';
import type {Account} from '../account.ts';
import {AwsError} from '../errors.ts';
import type {Faults} from '../faults.ts';
import {isDenied} from '../iam/permissions.ts';
import {type Blobs, createBlobs} from '../registry/blobs.ts';
import {RegistryError} from '../registry/errors.ts';
import type {Shelf} from '../registry/manifests.ts';
import {type Answer, respond} from '../registry/routes.ts';
import {answerWith} from '../registry/server.ts';
import {putImage, type Repository} from './repository.ts';

/** What GetAuthorizationToken gives: base64 of `user:password`. */
export const AUTHORIZATION_TOKEN = Buffer.from('AWS:demo').toString('base64');

/** The action of ECR that each of the registry's end points stands for, in IAM and in the list of calls. */
const ACTIONS: readonly (readonly [methods: RegExp, path: RegExp, action: string])[] = [
  [/^HEAD$/, /\/blobs\/sha256:/, 'BatchCheckLayerAvailability'],
  [/^GET$/, /\/blobs\/sha256:/, 'GetDownloadUrlForLayer'],
  [/^POST$/, /\/blobs\/uploads/, 'InitiateLayerUpload'],
  [/^PATCH$/, /\/blobs\/uploads/, 'UploadLayerPart'],
  [/^PUT$/, /\/blobs\/uploads/, 'CompleteLayerUpload'],
  [/^PUT$/, /\/manifests\//, 'PutImage'],
  [/^(?:GET|HEAD)$/, /\/manifests\//, 'BatchGetImage'],
  [/^GET$/, /\/tags\/list/, 'ListImages'],
];

export const isForRegistry = ({url = ''}: IncomingMessage): boolean => /^\/v2(?:\/|$)/.test(url);

export interface EcrRegistry {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
  close(): Promise<void>;
}

/** The account's ECR as docker speaks to it: what is pushed there is an image of the account. Nothing is kept on disk before a first push. */
export function createEcrRegistry(account: Account, faults: Faults, record: (action: string) => void): EcrRegistry {
  let blobs: Promise<Blobs> | undefined;

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    if (request.headers.authorization !== `Basic ${AUTHORIZATION_TOKEN}`) return UNAUTHORIZED;
    const action = actionOf(request);
    if (action !== undefined && isDenied(account, `ecr:${action}`)) {
      throw new RegistryError('DENIED', `not authorized to perform: ecr:${action}`);
    }
    blobs ??= createBlobs();
    return push(account, await blobs, request);
  };

  return {
    async handle(request, response) {
      const action = actionOf(request);
      if (action !== undefined) record(action);
      const fault = action === undefined ? undefined : faults.next(action);
      if (fault === 'reset') return void request.socket.resetAndDestroy();
      if (fault === '500') return answerWith(() => Promise.reject(new Error('as told')), request, response);
      if (fault !== 'lost-answer') return answerWith(() => answer(request), request, response);
      await answer(request);
      request.socket.resetAndDestroy();
    },
    async close() {
      await (await blobs)?.remove();
    },
  };
}

const UNAUTHORIZED: Answer = {
  status: 401,
  headers: {'WWW-Authenticate': 'Basic realm="https://ecr",service="ecr.amazonaws.com"'},
};

function actionOf({method = '', url = ''}: IncomingMessage): string | undefined {
  const path = decodeURIComponent(url.split('?')[0] ?? '');
  return ACTIONS.find(([methods, pattern]) => methods.test(method) && pattern.test(path))?.[2];
}

/** Lets the registry answer from what the account has, and gives the account what is new. */
async function push(account: Account, blobs: Blobs, request: IncomingMessage): Promise<Answer> {
  const name = /^\/v2\/(.+)\/(?:blobs|manifests|tags)\//.exec(request.url ?? '')?.[1];
  const repository = name === undefined ? undefined : account.repositories.get(name);
  if (name !== undefined && repository === undefined) {
    throw new RegistryError(
      'NAME_UNKNOWN',
      `The repository with name '${name}' does not exist in the registry with id '${account.id}'`,
    );
  }
  const shelf = repository && shelfOf(repository);
  const answer = await respond(
    {blobs, shelves: new Map(name === undefined || shelf === undefined ? [] : [[name, shelf]])},
    request,
  );
  if (repository !== undefined && shelf !== undefined && request.method === 'PUT') keep(account, repository, shelf);
  return answer;
}

function shelfOf({images, tags}: Repository): Shelf {
  const manifests = [...images.values()].map(
    ({digest, mediaType, manifest}) => [digest, {digest, mediaType, bytes: Buffer.from(manifest)}] as const,
  );
  return {manifests: new Map(manifests), tags: new Map(tags)};
}

/** ECR has the last word: about tags that may not be moved. */
function keep(account: Account, repository: Repository, shelf: Shelf): void {
  for (const {digest, mediaType, bytes} of shelf.manifests.values()) {
    const tag = [...shelf.tags].find(([tag, tagged]) => tagged === digest && repository.tags.get(tag) !== digest)?.[0];
    if (tag === undefined && repository.images.has(digest)) continue;
    try {
      putImage(account, repository, {manifest: bytes.toString(), mediaType, tag});
    } catch (error) {
      if (error instanceof AwsError) throw new RegistryError('TAG_INVALID', error.message);
      throw error;
    }
  }
}
