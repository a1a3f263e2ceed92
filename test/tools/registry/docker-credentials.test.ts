import {chmod, mkdir, mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {inspect} from 'node:util';
import {afterEach, beforeEach, describe, expect, test} from 'vitest';
import {MissingToolError} from '../../../src/tools/exec.ts';
import {dockerCredentials, type CredentialsFor} from '../../../src/tools/registry/docker-credentials.ts';

let home: string;
let credentials: CredentialsFor;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'dw-credentials-'));
  await mkdir(join(home, '.docker'));
  credentials = dockerCredentials({env: {PATH: `${home}:${process.env['PATH']}`}, home});
});
afterEach(() => rm(home, {recursive: true, force: true}));

const configure = (config: unknown) => writeFile(join(home, '.docker', 'config.json'), JSON.stringify(config));
const base64 = (text: string) => Buffer.from(text).toString('base64');
const installHelper = async (name: string, script: string) => {
  const path = join(home, `docker-credential-${name}`);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
};

describe('after docker login', () => {
  test('credentials are found by host, for Docker Hub under its old address', async () => {
    await configure({
      auths: {'127.0.0.1:5000': {auth: base64('olive:pass:word')}, 'https://index.docker.io/v1/': {auth: base64('dbhi:hub')}},
    });
    expect(await credentials('127.0.0.1:5000')).toEqual({username: 'olive', password: 'pass:word'});
    expect(await credentials('docker.io')).toEqual({username: 'dbhi', password: 'hub'});
    expect(await credentials('ghcr.io')).toBeUndefined();
  });

  test('those of an old file, by address, are found too', async () => {
    await configure({auths: {'https://registry.example.org/v1/': {auth: base64('a:b')}}});
    expect(await credentials('registry.example.org')).toEqual({username: 'a', password: 'b'});
  });

  test('an identity token is one', async () => {
    await configure({auths: {'x.azurecr.io': {auth: base64('00000000-0000-0000-0000-000000000000:'), identitytoken: 'refresh'}}});
    expect(await credentials('x.azurecr.io')).toEqual({username: '<token>', password: 'refresh'});
  });

  test('DOCKER_CONFIG says where to look, and every call looks anew', async () => {
    const elsewhere = join(home, 'elsewhere');
    const here = dockerCredentials({env: {DOCKER_CONFIG: elsewhere}, home});
    expect(await here('ghcr.io')).toBeUndefined();
    await mkdir(elsewhere);
    await writeFile(join(elsewhere, 'config.json'), JSON.stringify({auths: {'ghcr.io': {auth: base64('me:new')}}}));
    expect(await here('ghcr.io')).toEqual({username: 'me', password: 'new'});
  });
});

describe('with a credential helper', () => {
  // Answers with the address that it was asked about, read from standard input.
  const echo = `read -r address; printf '{"ServerURL":"%s","Username":"AWS","Secret":"for %s"}' "$address" "$address"`;

  test('the one named for the registry is asked, else the one for all', async () => {
    await installHelper('ecr-login', echo);
    await installHelper('store', `echo "credentials not found in native keychain"; exit 1`);
    await configure({
      credsStore: 'store',
      credHelpers: {'1.dkr.ecr.us-east-1.amazonaws.com': 'ecr-login'},
      auths: {'ghcr.io': {}},
    });
    expect(await credentials('1.dkr.ecr.us-east-1.amazonaws.com')).toEqual({
      username: 'AWS',
      password: 'for 1.dkr.ecr.us-east-1.amazonaws.com',
    });
    expect(await credentials('ghcr.io')).toBeUndefined();
  });

  test('Docker Hub is asked for under its old address', async () => {
    await installHelper('store', echo);
    await configure({credsStore: 'store'});
    expect(await credentials('docker.io')).toMatchObject({password: 'for https://index.docker.io/v1/'});
  });

  test('one that fails, is missing, or talks nonsense is named; its secrets are not', async () => {
    await installHelper('locked', `echo "the keychain is locked"; exit 1`);
    await installHelper('broken', `echo '{"Secret":"hunter2"'`);
    await configure({credHelpers: {a: 'locked', b: 'broken', c: 'absent'}});
    await expect(credentials('a')).rejects.toThrow(
      'docker-credential-locked does not hand out the credentials for a: the keychain is locked',
    );
    await expect(credentials('b')).rejects.toThrow('docker-credential-broken answers something else than credentials for b.');
    await expect(credentials('b')).rejects.not.toThrow(/hunter2/);
    await expect(credentials('c')).rejects.toBeInstanceOf(MissingToolError);
  });
});

test('a broken configuration is named, and not quoted', async () => {
  const path = join(home, '.docker', 'config.json');
  await writeFile(path, `{"auths": {"x": {"auth": "c2VjcmV0`);
  const failing = credentials('x');
  await expect(failing).rejects.toThrow(`The Docker configuration ${path} is not valid.`);
  expect(inspect(await failing.catch((error: unknown) => error))).not.toContain('c2VjcmV0');
});
