import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {describe, expect, test} from 'vitest';
import {buildOutput} from '../../../src/tools/docker/output.ts';
import {buildKitBuild, legacyBuild, push, Reader, type Progress, type Reading} from '../../../src/tools/docker/progress.ts';

/** Every change of progress while that output is read: `done/total text`. */
async function follow<S extends Progress>(reading: Reading<S>, output: string): Promise<{seen: string[]; state: S}> {
  const text = await readFile(join(import.meta.dirname, 'output', output), 'utf8');
  const seen: string[] = [];
  const reader = new Reader(reading, ({done, total, text}) => seen.push(`${done}/${total} ${text}`));
  for (const line of text.split('\n')) reader.read(line);
  return {seen, state: reader.state};
}

describe('a build', () => {
  test.each(['legacy-28.2.txt', 'legacy-20.10-cached.txt'])('of the legacy builder counts its steps (%s)', async output => {
    expect((await follow(legacyBuild, output)).seen).toEqual([
      '0/7 FROM scratch AS build',
      '1/7 COPY busybox /bin/busybox',
      '2/7 RUN ["/bin/busybox", "sh", "-c", "echo compiling; /bin/busybox head -c 64 /dev/zero > /out"]',
      '3/7 FROM scratch',
      '4/7 COPY busybox /bin/busybox',
      '5/7 COPY --from=build /out /out',
      '6/7 CMD ["/bin/busybox"]',
      '7/7 CMD ["/bin/busybox"]',
    ]);
  });

  test.each(['buildkit-20.10.txt', 'buildkit-20.10-cached.txt'])(
    'of BuildKit counts the steps of all stages (%s)',
    async output => {
      expect((await follow(buildKitBuild, output)).seen).toEqual([
        '0/2 build: COPY busybox /bin/busybox',
        '1/2 build: COPY busybox /bin/busybox',
        '1/2 build: RUN ["/bin/busybox", "sh", "-c", "echo compiling; /bin/busybox head -c 64 /dev/zero > /out"]',
        '2/2 build: RUN ["/bin/busybox", "sh", "-c", "echo compiling; /bin/busybox head -c 64 /dev/zero > /out"]',
        '2/4 stage-1: COPY --from=build /out /out',
        '3/4 stage-1: COPY --from=build /out /out',
        '4/4 exporting to image',
      ]);
    },
  );

  test('of buildx is followed where steps run side by side, repeat, and end twice', async () => {
    const from =
      'FROM docker.io/library/python:3.12-slim@sha256:8f64a67710f3d981cf3008d6f9f1dbe61accd7927f165f4e37ea3f8b883ccc3f';
    expect((await follow(buildKitBuild, 'buildx.txt')).seen).toEqual([
      `0/3 wheels: ${from}`,
      `1/3 wheels: ${from}`,
      '1/3 wheels: COPY requirements.txt .',
      '2/3 wheels: COPY requirements.txt .',
      '2/3 wheels: RUN pip wheel -r requirements.txt',
      '2/7 stage-1: WORKDIR /app',
      '3/7 wheels: RUN pip wheel -r requirements.txt',
      '4/7 wheels: RUN pip wheel -r requirements.txt',
      '4/7 stage-1: COPY --from=wheels /wheels /wheels',
      '5/7 stage-1: COPY --from=wheels /wheels /wheels',
      '5/7 stage-1: RUN pip install /wheels/*',
      '6/7 stage-1: RUN pip install /wheels/*',
      '7/7 exporting to image',
    ]);
  });

  test('of BuildKit with one stage, with many steps, or for several platforms is read as well', () => {
    const read = (...lines: string[]) => {
      const {done, total, text} = lines.reduce((state, line) => buildKitBuild.next(state, line), buildKitBuild.start);
      return {done, total, text};
    };
    expect(read('#6 [ 2/13] WORKDIR /app', '#6 CACHED')).toEqual({done: 1, total: 13, text: 'WORKDIR /app'});
    expect(read('#7 [frontend-build  1/13] FROM node')).toEqual({done: 0, total: 13, text: 'frontend-build: FROM node'});
    expect(read('#7 [linux/arm64 build 2/4] RUN make', '#8 [linux/amd64 build 2/4] RUN make')).toEqual({
      done: 0,
      total: 8,
      text: 'linux/amd64 build: RUN make',
    });
    expect(read('#7 [internal] load metadata for x', '#7 DONE 0.1s', 'Step 1/2 : FROM x')).toEqual({done: 0, total: 0, text: ''});
  });
});

describe('a build of buildx with rawjson', () => {
  const read = async (output: string) => {
    const text = await readFile(join(import.meta.dirname, 'output', output), 'utf8');
    const [seen, lines]: [string[], string[]] = [[], []];
    const rawJson = {is: 'buildx', provenanceFlag: true, rawJson: true} as const;
    const reader = buildOutput(
      rawJson,
      ({done, total, text}) => seen.push(`${done}/${total} ${text}`),
      line => lines.push(line),
    );
    for (const line of text.trimEnd().split('\n')) reader.read(line);
    return {seen, lines, lastLines: reader.lastLines()};
  };

  test('counts its steps as the plain output would', async () => {
    const from = `wheels: FROM docker.io/library/python:3.12-slim@sha256:${'8f'.repeat(32)}`;
    expect((await read('buildx-rawjson.txt')).seen).toEqual([
      `0/3 ${from}`,
      `1/3 ${from}`,
      '1/3 wheels: COPY requirements.txt .',
      '2/3 wheels: COPY requirements.txt .',
      // The two begin in one message.
      '2/7 stage-1: WORKDIR /app',
      '3/7 wheels: RUN pip wheel -r requirements.txt',
      '4/7 wheels: RUN pip wheel -r requirements.txt',
      '4/7 stage-1: COPY --from=wheels /wheels /wheels',
      '5/7 stage-1: COPY --from=wheels /wheels /wheels',
      '5/7 stage-1: RUN pip install /wheels/*',
      '6/7 stage-1: RUN pip install /wheels/*',
      '7/7 exporting to image',
    ]);
  });

  test('is told in lines for people: no JSON, no base64, letters whole however they were cut', async () => {
    const {lines} = await read('buildx-rawjson.txt');
    expect(lines.filter(line => line.startsWith('#6'))).toEqual([
      '#6 [wheels 3/3] RUN pip wheel -r requirements.txt',
      '#6 Collecting sqlalchemy',
      '#6 Saved ./x.whl',
      '#6 no end of a line grün',
      '#6 DONE 1.0s',
    ]);
    expect(lines).toContain('#5 CACHED');
    expect(lines).toContain('WARNING: MaintainerDeprecated: Maintainer instruction is deprecated (line 2)');
    expect(lines.join('\n')).not.toMatch(/[{}]|vertex/);
  });

  test('that fails says why in the same way', async () => {
    const {lines, lastLines, seen} = await read('buildx-rawjson-failed.txt');
    expect(seen).toEqual(['0/2 COPY nowhere /page']);
    expect(lines).toEqual([
      '#1 [1/2] COPY nowhere /page',
      '#1 ERROR: failed to calculate checksum of ref x: "/nowhere": not found',
      'ERROR: failed to build: failed to solve: failed to compute cache key: "/nowhere": not found',
    ]);
    expect(lastLines).toEqual(lines);
  });
});

describe('a push', () => {
  test.each([
    ['push-28.2.txt', 'Pushed'],
    ['push-28.2-again.txt', 'Layer already exists'],
    ['push-28.2-mounted.txt', 'Mounted from dw/two'],
  ])('counts its layers and reads the digest (%s)', async (output, status) => {
    const {seen, state} = await follow(push, output);
    expect(seen.map(line => line.replace(/[0-9a-f]{12}/, 'layer'))).toEqual([
      '0/1 layer: Preparing',
      '0/2 layer: Preparing',
      `1/2 layer: ${status}`,
      `2/2 layer: ${status}`,
    ]);
    expect(state.digest).toBe('sha256:9b08682b9ade909d3d778d1560b6fe7d84b68bad82541e8cd5116582e9782caa');
  });
});
