import {logLines} from '../lines/log.ts';
import {Lines} from '../parts/lines.tsx';
import {useLog} from '../parts/use-log.ts';
import type {Scene} from '../scene.ts';

/**
 *     service · build  /home/…/logs/service.build.log                          paused: 42 newer lines, G follows
 *     #8 [2/4] COPY . /app
 *     #8 DONE 0.4s
 */
export function LogScreen({scene}: {readonly scene: Scene}) {
  useLog(scene.model.logs, scene.model.log?.job);
  return <Lines width={scene.width} lines={logLines(scene)} />;
}
