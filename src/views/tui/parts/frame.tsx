import {Box} from 'ink';
import type {ReactNode} from 'react';
import {helpBar} from '../keys/help.ts';
import type {Laid} from '../layout.ts';
import {railLines} from '../lines/rail.ts';
import type {Size} from '../scene.ts';
import {blank} from '../text/line.ts';
import {Lines} from './lines.tsx';

interface Props {
  readonly scene: Laid;
  readonly size: Size;
  readonly children: ReactNode;
}

/**
 * What stands around every screen. Its height is the terminal's less one row, whatever the screen draws.
 *
 *     deploy-wizard  pass 1.14.0 → production                                  release-manager@ci
 *     ✔ preflight  ─ bump  ─ build  ─ push  ● plan  ○ confirm  ○ apply  ○ verify
 *
 *     …the screen…
 *     ──────────────────────────────────────────────────────────────────────────────────────────
 *     ? notification-services · apply failed. What now?
 *       r try again   l leave it as it is
 *
 *     ↑↓ move   tab details   o log   ? help   ctrl+c stop…                       elapsed 01:24
 */
export function Frame({scene, size, children}: Props) {
  return (
    <Box flexDirection="column" width={size.columns} height={size.rows - 1} paddingX={1} overflow="hidden">
      <Lines width={scene.width} lines={[...railLines(scene.model, scene.width), blank]} />
      <Box flexDirection="column" height={scene.height} flexShrink={0} overflow="hidden">
        {children}
      </Box>
      <Lines width={scene.width} lines={[...scene.footer, blank, helpBar(scene)]} />
    </Box>
  );
}
