/** Where the config file is. */
import {access} from 'node:fs/promises';
import path from 'node:path';

export const configNames = ['deploy-wizard.config.yaml', 'deploy-wizard.config.yml', 'deploy-wizard.config.json'] as const;

/** The config file nearest upwards from `from`; undefined when there is none. */
export async function findConfig(from: string): Promise<string | undefined> {
  for (const name of configNames) {
    const candidate = path.join(from, name);
    const there = await access(candidate).then(
      () => true,
      () => false,
    );
    if (there) return candidate;
  }
  const parent = path.dirname(from);
  return parent === from ? undefined : findConfig(parent);
}
