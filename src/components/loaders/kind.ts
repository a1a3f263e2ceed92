/** What loaders say as a kind of component. The two kinds differ in their definitions, and in nothing else. */
import type * as z from 'zod';
import type {ComponentConfig, ComponentKind, Named, Results} from '../../release/contract.ts';
import type {Claim} from '../../release/model.ts';
import {loaderActing} from '../aws/acting.ts';
import {checkPermissions, permissionsClaim} from '../aws/allowed.ts';
import {copySteps} from '../aws/copying.ts';
import {checkShared, imageClaim, sessionClaim} from '../aws/requirements.ts';
import {stoppable} from '../aws/stoppable.ts';
import {register, revisionOf, revisionToType} from '../aws/task-definition.ts';
import {versionOf} from '../aws/version.ts';
import type {Io} from '../io.ts';
import {
  checkLoader,
  definitionClaim,
  followClaim,
  pinClaim,
  revisionClaim,
  smokeClaim,
  sourceClaim,
  strangersClaim,
} from './claims.ts';
import {type Loader, type Payload, type State, payload, state} from './loader.ts';
import {type Move, moveStep} from './moving.ts';
import {planLoader, recheckLoader} from './planning.ts';
import {atRevision, parseReference} from './reference.ts';
import {smokeStep} from './smoke.ts';
import {imagesNow, isPinned, pinsOf, placeKey, standingOf} from './standing.ts';
import {sourceKey} from './target.ts';

export function loaderKind<C extends ComponentConfig>(
  kind: C['kind'],
  config: z.ZodType<C>,
  loaderOf: (component: Named<C>) => Loader,
): ComponentKind<C, State, Payload, Io> {
  return stoppable({
    kind,
    revert: 'auto',
    config,
    state,
    payload,

    requirements: (component, target) => {
      const loader = loaderOf(component);
      const isRelease = target.is === 'release';
      return [
        sessionClaim(),
        definitionClaim(loader),
        permissionsClaim(loader.id, loader.definitions.service === 'ecs' ? 'ecs-scheduled-task' : 'batch-job-definition'),
        ...loader.sources.map(source => sourceClaim(loader, source)),
        ...(isRelease && loader.smoke ? [smokeClaim(loader)] : []),
        ...(isRelease ? Object.values(loader.images).map(image => imageClaim(image, target.version)) : []),
      ];
    },

    observe: async (component, io) => {
      const loader = loaderOf(component);
      const standing = await standingOf(loader, io);
      if (standing === undefined) return undefined;
      const {definition} = standing;
      const names = Object.keys(loader.images);
      const images = await imagesNow(definition, names, io);
      return {
        version: await versionOf(definition, names, io),
        state: {definition: definition.arn, pins: pinsOf(standing), images},
        digests: Object.fromEntries(images.map(({image, digest}) => [image, digest])),
      };
    },

    prepare: (component, target, io) => copySteps(Object.values(loaderOf(component).images), target, io),

    plan: (component, target, io) => planLoader(loaderOf(component), target, kind, io),

    recheck: (component, {payload}, io) => recheckLoader(loaderOf(component), payload, io),

    steps: (component, {payload}) => {
      const {definitions, images} = loaderOf(component);
      const revision = (results: Results) => revisionOf(payload, results);
      const toType = (results: Results) => revisionToType(payload, results);
      const bySource = Map.groupBy(payload.moves, ({source}) => sourceKey(source));
      return [
        ...(payload.register ? [register(payload.register, definitions)] : []),
        ...(payload.smoke ? [smokeStep(payload.wanted, payload.smoke, Object.keys(images), revision, toType)] : []),
        ...[...bySource.values()].flatMap(([first, ...rest]) =>
          first === undefined ? [] : [moveStep(payload.wanted, [first, ...rest], revision)],
        ),
      ];
    },

    claims: (component, {payload}, results) => {
      const loader = loaderOf(component);
      const arn = revisionOf(payload, results);
      return [
        revisionClaim(loader, arn, payload.images),
        ...payload.pins.map((pin): Claim => {
          if (!isPinned(pin.starts)) return followClaim(loader, pin, arn);
          return pinClaim(loader, pin, atRevision(pin.starts, revisionAt(payload, pin, arn)));
        }),
        strangersClaim(loader, arn, payload.pins),
      ];
    },

    check: async (component, claim, io) => {
      const loader = loaderOf(component);
      return (
        (await checkShared(claim, io)) ??
        checkPermissions(claim, io, async () => loaderActing((await standingOf(loader, io))?.definition, loader, io)) ??
        checkLoader(loader, claim, io)
      );
    },
  });

  /** What a place that pins a revision pins in the end. */
  function revisionAt({moves}: Payload, pin: Payload['pins'][number], arn: string): number {
    const move: Move | undefined = moves.find(move => placeKey(move) === placeKey(pin));
    const standing = parseReference(pin.starts).revision ?? 0;
    return move === undefined ? standing : (move.to ?? parseReference(arn).revision ?? standing);
  }
}
