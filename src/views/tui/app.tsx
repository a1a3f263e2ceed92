import {useAnimation, useApp, useInput, useIsScreenReaderEnabled, usePaste} from 'ink';
import {type ComponentType, useLayoutEffect, useSyncExternalStore} from 'react';
import {onInput, onText, type Receiver} from './keys/input.ts';
import {sceneOf} from './layout.ts';
import {Frame} from './parts/frame.tsx';
import {AsciiContext, PaletteContext} from './parts/lines.tsx';
import {Reader} from './parts/reader.tsx';
import {isTooSmall, type Moment, type Scene, type Size} from './scene.ts';
import {BoardScreen} from './screens/board.tsx';
import {ByHandScreen} from './screens/by-hand.tsx';
import {ComponentsScreen} from './screens/components.tsx';
import {ConfirmScreen} from './screens/confirm.tsx';
import {EnvironmentScreen} from './screens/environment.tsx';
import {FinishedScreen} from './screens/finished.tsx';
import {HelpScreen} from './screens/help.tsx';
import {LogScreen} from './screens/log.tsx';
import {PreflightScreen} from './screens/preflight.tsx';
import {ReviewScreen} from './screens/review.tsx';
import {StartingScreen} from './screens/starting.tsx';
import {TooSmall} from './screens/too-small.tsx';
import {VersionScreen} from './screens/version.tsx';
import {WorkScreen} from './screens/work.tsx';
import {isAsking, isLooking} from './state/form.ts';
import {type Screen, screenOf} from './state/mode.ts';
import type {Action, Model} from './state/model.ts';
import type {Store} from './store.ts';
import type {Palette} from './text/palette.ts';

/** Gives the terminal back while something else has it, and takes it again. */
export type GiveTerminal = (meanwhile: () => Promise<void>) => Promise<void>;

interface Props {
  readonly store: Store<Model, Action>;
  /** Does what a key asks for. */
  readonly act: (action: Action, giveTerminal: GiveTerminal) => void;
  /** The view is gone, whyever. */
  readonly onGone: () => void;
  readonly now: () => number;
  readonly ascii: boolean;
  readonly palette: Palette;
  readonly size: Size;
}

type ScreenView = ComponentType<{readonly scene: Scene}>;

const screens: Readonly<Record<Screen, ScreenView>> = {
  environment: EnvironmentScreen,
  version: VersionScreen,
  components: ComponentsScreen,
  starting: StartingScreen,
  preflight: PreflightScreen,
  work: WorkScreen,
  review: ReviewScreen,
  confirm: ConfirmScreen,
  board: BoardScreen,
  finished: FinishedScreen,
};

/** The whole view: a model and a size, drawn; keys, handed to the table. */
export function App({store, act, onGone, now, ascii, palette, size}: Props) {
  const {suspendTerminal} = useApp();
  const isReader = useIsScreenReaderEnabled();
  const model = useSyncExternalStore(store.subscribe, store.shown);
  const moment = useMoment(isMoving(model), now);
  const scene = sceneOf(model, size, moment);
  useKeys(store, action => act(action, suspendTerminal), size, moment);
  useLayoutEffect(() => onGone, [onGone]);
  if (isTooSmall(size)) return <TooSmall model={model} size={size} />;
  const View = viewOf(model);
  return (
    <AsciiContext value={ascii}>
      <PaletteContext value={palette}>
        {isReader ? (
          <Reader scene={scene}>
            <View scene={scene} />
          </Reader>
        ) : (
          <Frame scene={scene} size={size}>
            <View scene={scene} />
          </Frame>
        )}
      </PaletteContext>
    </AsciiContext>
  );
}

function viewOf(model: Model): ScreenView {
  if (model.help) return HelpScreen;
  if (model.log !== undefined) return LogScreen;
  if (model.byHand !== undefined) return ByHandScreen;
  return screens[screenOf(model)];
}

/** Keys act on what is on the screen, not on what may have happened since it was drawn. */
function useKeys(store: Store<Model, Action>, act: (action: Action) => void, size: Size, moment: Moment): void {
  const receiver: Receiver = {scene: () => sceneOf(store.shown(), size, moment), send: act};
  useInput((input, key) => {
    if (isTooSmall(size) && !(key.ctrl && input === 'c')) return;
    onInput(receiver, input, key);
  });
  usePaste(text => {
    if (!isTooSmall(size)) onText(receiver, text);
  });
}

/** The time, eight times a second while something moves; no animation for screen readers, which would read each frame. */
function useMoment(isMoving: boolean, now: () => number): Moment {
  const isReader = useIsScreenReaderEnabled();
  const {frame} = useAnimation({interval: 125, isActive: isMoving && !isReader});
  return {now: now(), frame};
}

function isMoving({form, run, hooks}: Model): boolean {
  if (isAsking(form)) return form.state.answers.environment !== undefined && isLooking(form);
  if (run.finished !== undefined) return false;
  return run.started === undefined || hooks.length > 0 || [...run.jobs.values()].some(job => job.status === 'running');
}
