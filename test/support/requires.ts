import {describe, inject, test} from 'vitest';
import type {PartName, RealParts} from './real-parts.ts';

class MissingPart extends Error {
  override name = 'MissingPart';

  constructor(part: PartName) {
    super(`${part} is missing: ${whyMissing(part)}`);
  }
}

/**
 * `describe` for tests that need real parts: `requires('docker', 'registry')('pushes the image', () => { … })`.
 * Without one of them the suite is skipped, and its title says what is missing. In CI a missing part fails the suite instead,
 * moto aside: that is a second opinion.
 */
export function requires(...parts: PartName[]): (title: string, body: () => void) => void {
  const missing = parts.filter(part => inject(part) === undefined);
  if (missing.length === 0) return describe;

  const inCi = Boolean(process.env['CI']);
  const unforgivable = missing.find(part => inCi && part !== 'moto');
  if (unforgivable !== undefined) {
    return title => describe(title, () => test(`needs ${missing.join(', ')}`, () => void part(unforgivable)));
  }

  const reasons = missing.map(part => `${part}: ${whyMissing(part)}`).join('; ');
  return (title, body) => describe.skip(`${title} [skipped, missing ${reasons}]`, () => listTests(body));
}

/** A part that the surrounding `requires` asked for. Throws, naming it, when it is not there. */
export function part<Name extends PartName>(name: Name): NonNullable<Partial<RealParts>[Name]> {
  const found: Partial<RealParts>[Name] = inject(name);
  if (found === undefined) throw new MissingPart(name);
  return found;
}

function whyMissing(part: PartName): string {
  return inject('missingParts')?.[part] ?? 'the e2e set-up (test/support/real-parts.ts) did not run';
}

/** Runs the body of a skipped suite for its titles; one that uses its parts outside of a test is cut short there. */
function listTests(body: () => void): void {
  try {
    body();
  } catch (error) {
    if (!(error instanceof MissingPart)) throw error;
    test(error.message, () => undefined);
  }
}
