/** Resource addresses: `module.app["eu"].aws_instance.default[0]`. */

interface Segment {
  readonly name: string;
  /** What stands in the brackets, quotes included. */
  readonly key: string | undefined;
}

// A key is a number, or a quoted text that may hold dots, brackets and escaped quotes.
const segment = /(?<name>[^.[\]"]+)(?:\[(?<key>\d+|"(?:[^"\\]|\\.)*")\])?(?:\.|$)/y;

/**
 * Whether an address is meant by another, less exact one: `aws_instance.web` means all its instances, `module.app` all that is in
 * the module, `module.app.aws_instance.web` that resource in every instance of the module. A key that is written must be the same.
 */
export function covers(general: string, address: string): boolean {
  const [wanted, found] = [parse(general), parse(address)];
  if (!wanted || !found) return general === address;
  const isWholeModule = wanted.length % 2 === 0 && wanted.at(-2)?.name === 'module';
  if (found.length !== wanted.length && !isWholeModule) return false;
  return wanted.every(({name, key}, index) => found[index]?.name === name && (key === undefined || found[index]?.key === key));
}

function parse(address: string): readonly Segment[] | undefined {
  const segments: Segment[] = [];
  let end = 0;
  while (end < address.length) {
    segment.lastIndex = end;
    const match = segment.exec(address);
    if (!match?.groups) return undefined;
    segments.push({name: match.groups['name'] ?? '', key: match.groups['key']});
    end = segment.lastIndex;
  }
  return segments;
}
