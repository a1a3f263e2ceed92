/** Preloaded into a process (`--import`): writes the URL of every module that it loads into the file that DW_LOADED names. */
import {appendFileSync} from 'node:fs';
import {registerHooks} from 'node:module';

const file = process.env['DW_LOADED'];
registerHooks({
  load: (url, context, nextLoad) => {
    if (file !== undefined) appendFileSync(file, `${url}\n`);
    return nextLoad(url, context);
  },
});
