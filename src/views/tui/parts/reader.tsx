import {Box, Static, Text} from 'ink';
import type {ReactNode} from 'react';
import {helpBar} from '../keys/help.ts';
import {currentQuestion} from '../keys/run.ts';
import type {Laid} from '../layout.ts';
import {type Mode, modeOf} from '../state/mode.ts';
import type {Model} from '../state/model.ts';
import {Lines} from './lines.tsx';

interface Props {
  readonly scene: Laid;
  readonly children: ReactNode;
}

/**
 * For screen readers: every change is a line that is written once and stays. Below them stands what has to be answered or
 * was opened, and the keys; nothing there changes by itself.
 */
export function Reader({scene, children}: Props) {
  const {model, width} = scene;
  return (
    <>
      <Static items={[...(model.said ?? [])]}>{(text, index) => <Text key={index}>{text}</Text>}</Static>
      <Box flexDirection="column">
        {isToBeRead(model) && children}
        <Lines width={width} lines={[...scene.footer, helpBar(scene, false)]} />
      </Box>
    </>
  );
}

const running: ReadonlySet<Mode> = new Set<Mode>(['starting', 'preflight', 'work', 'board']);

/** While things run, their changes say it all. */
function isToBeRead(model: Model): boolean {
  return !running.has(modeOf(model)) || currentQuestion(model) !== undefined;
}
