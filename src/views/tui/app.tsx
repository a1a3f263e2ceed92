import {useAnimation, useInput, useIsScreenReaderEnabled, usePaste} from 'ink';
import {type ComponentType, useSyncExternalStore} from 'react';
import {onInput, onText, type Receiver} from './keys/input.ts';
import {sceneOf} from './layout.ts';
import {Frame} from './parts/frame.tsx';
import {AsciiContext} from './parts/lines.tsx';
import {isTooSmall, type Moment, type Scene, type Size} from './scene.ts';
import {BoardScreen} from './screens/board.tsx';
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
import {isAsking, lookOf} from './state/form.ts';
import {type Screen, screenOf} from './state/mode.ts';
import type {Action, Model} from './state/model.ts';
import type {Store} from './store.ts';

interface Props {
  readonly store: Store<Model, Action>;
  /** Does what a key asks for. */
  readonly act: (action: Action) => void;
  readonly now: () => number;
  readonly ascii: boolean;
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
export function App({store, act, now, ascii, size}: Props) {
  const model = useSyncExternalStore(store.subscribe, store.shown);
  const moment = useMoment(isMoving(model), now);
  const scene = sceneOf(model, size, moment);
  useKeys(store, act, size, moment);
  if (isTooSmall(size)) return <TooSmall model={model} size={size} />;
  const View = viewOf(model);
  return (
    <AsciiContext value={ascii}>
      <Frame scene={scene} size={size}>
        <View scene={scene} />
      </Frame>
    </AsciiContext>
  );
}

function viewOf(model: Model): ScreenView {
  if (model.help) return HelpScreen;
  if (model.log !== undefined) return LogScreen;
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

function isMoving({form, run}: Model): boolean {
  if (isAsking(form)) return form.state.answers.environment !== undefined && !lookOf(form).done;
  if (run.finished !== undefined) return false;
  return run.started === undefined || [...run.jobs.values()].some(job => job.status === 'running');
}
