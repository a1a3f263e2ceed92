import {test} from 'vitest';
import {requires} from '../support/requires.ts';
import {cookbook, oddPython} from '../support/cookbook.ts';
requires('docker','registry','terraform','busybox')('explore', () => {
  test('x', async () => {
    const t0 = Date.now();
    const c = await cookbook({python: oddPython, git: '{ commit: true, tag: "${version}" }'});
    console.log('setup', Date.now()-t0);
    try {
      const t1 = Date.now();
      const r = await c.run(['--yes','--env','production','--bump','patch','--allow','outage']);
      console.log(Date.now()-t1, r.exitCode, r.stdout, r.stderr);
      const a = await c.run(['audit','--env','production']);
      console.log(a.exitCode, a.stdout, a.stderr);
      console.log(await c.git('log','--stat','--format=%h %s %d'), await c.world(), [...(await c.files()).keys()].filter(f=>!f.includes('.git/')));
      console.log(await c.answer(), await c.starts());
    } finally { await c.remove(); }
  });
});
