#!/usr/bin/env node
// Starts the program. Plain old JavaScript: it has to run on a Node that is too old, in order to say so.
var needed = [22, 22, 2];
var found = process.versions.node.split('.').map(Number);
var older = found[0] !== needed[0] ? found[0] < needed[0] : found[1] !== needed[1] ? found[1] < needed[1] : found[2] < needed[2];

if (older) {
  process.stderr.write(
    'deploy-wizard needs Node ' +
      needed.join('.') +
      ' or newer; this is ' +
      process.versions.node +
      '. Install a newer one: https://nodejs.org\n',
  );
  process.exitCode = 2;
} else {
  // Ink and chalk do not know NO_COLOR (https://no-color.org).
  if (process.env.NO_COLOR) process.env.FORCE_COLOR = '0';
  // Compiled code stays with the user: the default is a folder that everybody on the machine may write to.
  void Promise.all([import('node:fs'), import('node:module'), import('node:os'), import('node:path')]).then(function (nodes) {
    var [fs, module, os, path] = nodes;
    try {
      var compiled = process.env.NODE_COMPILE_CACHE;
      if (!compiled) {
        compiled = path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'deploy-wizard', 'compiled');
        // Node would make it with whatever the umask allows.
        fs.mkdirSync(compiled, {recursive: true, mode: 0o700});
      }
      module.enableCompileCache(compiled);
    } catch {
      // A container may run as a user whom its system does not know: without a home nothing is kept.
    }
    return import('../dist/cli.mjs');
  });
}
