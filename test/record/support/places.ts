/** Where records can be, each with a back door: what somebody does who changes a record by hand. */
import {mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {DeleteObjectsCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client} from '@aws-sdk/client-s3';
import {onTestFinished} from 'vitest';
import {fileMedium} from '../../../src/record/file-store.ts';
import type {Medium} from '../../../src/record/medium.ts';
import {openMedium} from '../../../src/record/open.ts';
import {type MotoS3, bucket, environmentAt} from './moto-s3.ts';

export const environment = 'production';

export interface Place {
  /** As `store:` names it. */
  readonly store: string;
  /** As another process opens it. */
  open(): Promise<Medium>;
  /** The text of a record. */
  text(run: string): Promise<string>;
  /** Stores another text in its place. */
  edit(run: string, change: (text: string) => string): Promise<void>;
  head(run: string): Promise<string>;
  /** Undefined takes it away. */
  setHead(run: string, text: string | undefined): Promise<void>;
}

/** Ends with the test. */
export async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'dw-store-'));
  onTestFinished(() => rm(made, {recursive: true, force: true}));
  return made;
}

export async function filePlace(): Promise<Place> {
  const root = path.join(await folder(), 'state', 'pass');
  const record = (run: string) => path.join(root, environment, run, 'record.ndjson');
  const head = (run: string) => path.join(root, environment, run, 'head.json');
  return {
    store: root,
    open: async () => fileMedium(root),
    text: run => readFile(record(run), 'utf8'),
    edit: async (run, change) => writeFile(record(run), change(await readFile(record(run), 'utf8'))),
    head: run => readFile(head(run), 'utf8'),
    setHead: (run, text) => (text === undefined ? rm(head(run)) : writeFile(head(run), text)),
  };
}

let places = 0;

/** `url` is where the program finds S3: moto, or something in front of it. */
export async function s3Place(moto: MotoS3, url = moto.url): Promise<Place> {
  const prefix = `pass/${(places += 1)}`;
  const logs = await folder();
  const at = (run: string, name: string) => `${prefix}/${environment}/${run}/${name}`;
  const {client} = moto;
  const segments = async (run: string) => (await keysOf(client, at(run, ''))).filter(key => key.endsWith('.ndjson'));
  const text = async (run: string) => (await Promise.all((await segments(run)).map(key => textOf(client, key)))).join('');
  return {
    store: `s3://${bucket}/${prefix}`,
    open: () =>
      openMedium(`s3://${bucket}/${prefix}`, {env: environmentAt(url), from: '/', logs, sleep: () => Promise.resolve()}),
    text,
    edit: async (run, change) => {
      const changed = change(await text(run));
      await remove(client, await segments(run));
      await put(client, at(run, '00000000.ndjson'), changed);
    },
    head: run => textOf(client, at(run, 'head.json')),
    setHead: (run, head) =>
      head === undefined ? remove(client, [at(run, 'head.json')]) : put(client, at(run, 'head.json'), head),
  };
}

export async function keysOf(client: S3Client, prefix: string): Promise<readonly string[]> {
  const {Contents = []} = await client.send(new ListObjectsV2Command({Bucket: bucket, Prefix: prefix}));
  return Contents.flatMap(({Key}) => Key ?? []);
}

async function textOf(client: S3Client, key: string): Promise<string> {
  const {Body} = await client.send(new GetObjectCommand({Bucket: bucket, Key: key}));
  return (await Body?.transformToString()) ?? '';
}

async function put(client: S3Client, key: string, text: string): Promise<void> {
  await client.send(new PutObjectCommand({Bucket: bucket, Key: key, Body: Buffer.from(text)}));
}

async function remove(client: S3Client, keys: readonly string[]): Promise<void> {
  const Objects = keys.map(Key => ({Key}));
  if (keys.length > 0) await client.send(new DeleteObjectsCommand({Bucket: bucket, Delete: {Objects}}));
}
