/** Whether the tags of a release still name the images that were released. */
import type {Io} from '../../components/io.ts';
import {componentSettings} from '../../config/load.ts';
import {inOneLine, toTrouble} from '../../release/errors.ts';
import type {Json} from '../../release/json.ts';
import {type Trace, repositoryOf, tracesOf} from '../../release/standing.ts';
import {showCommand} from '../../tools/exec.ts';
import type {Context} from '../context.ts';
import {imageSettings} from '../promotion.ts';
import {type Line, line} from './lines.ts';
import type {Subject} from './preconditions.ts';
import {withRegion} from './see.ts';

/** `unseen`: why the registries of this account cannot be looked at. `claimed`: components that claim their images themselves. */
export async function imageLines(
  context: Pick<Context, 'env'>,
  {audited, loaded, environment}: Subject,
  io: Io,
  {unseen, claimed}: {readonly unseen: string | undefined; readonly claimed: ReadonlySet<string>},
): Promise<readonly Line[]> {
  const values = loaded.config.environments[environment]?.values ?? {};
  const wanted = tracesOf(audited).flatMap(trace => {
    const {version} = trace;
    if (claimed.has(trace.component) || version === undefined) return [];
    const settings: Json = componentSettings(loaded, trace.component, {version, environment, values, env: context.env});
    return imageSettings(settings).map(setting => ({setting, version, trace}));
  });
  // Several components may use one image.
  const once = new Map(wanted.map(one => [`${one.setting}:${one.version}`, one]));
  return Promise.all(
    [...once.values()].map(({setting, version, trace}) => {
      const inAccount = Object.hasOwn(loaded.config.registries, setting.slice(0, Math.max(setting.indexOf('/'), 0)));
      return lookAt(setting, version, trace, io, inAccount ? unseen : undefined);
    }),
  );
}

async function lookAt(setting: string, version: string, {digests}: Trace, io: Io, unseen: string | undefined): Promise<Line> {
  const saying = (see: string) => line(`image ${setting}`, `${setting}:${version} is the image that was released`, see);
  const unnamed = saying(showCommand(['docker', 'buildx', 'imagetools', 'inspect', `${setting}:${version}`]));
  if (unseen !== undefined) return unnamed.open(`not looked at: ${unseen}`);
  try {
    const image = await io.image(setting, version);
    const ecr = /^\d{12}\.dkr\.ecr\./.test(image.uri);
    const say = saying(
      showCommand(
        ecr
          ? withRegion(
              ['aws', 'ecr', 'describe-images', '--repository-name', image.repository, '--image-ids', `imageTag=${version}`],
              io.place,
            )
          : ['docker', 'buildx', 'imagetools', 'inspect', image.uri],
      ),
    );
    const then = digests[repositoryOf(image.repository)];
    if (then === undefined) return say.open('the record does not say which image it was');
    const now = (await image.digest())?.digest;
    if (now === then) return say.passed(then);
    return say.failed(now === undefined ? `the tag is gone; it was ${then}` : `it is ${now}, it was ${then}`);
  } catch (error) {
    const {what, next} = toTrouble(error);
    return unnamed.open(`it cannot be looked at: ${what}`, {...(next && {next: inOneLine(next)})});
  }
}
