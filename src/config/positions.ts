/** Where the components stand in a config file: for whoever points at them from outside. */
import {LineCounter, isMap, isScalar, parseDocument} from 'yaml';

/** By component: the line of its name, from 1. Empty where the text is none that can be read. */
export function componentLines(text: string): ReadonlyMap<string, number> {
  const counter = new LineCounter();
  const components = parseDocument(text, {lineCounter: counter, prettyErrors: false}).get('components', true);
  if (!isMap(components)) return new Map();
  return new Map(
    components.items.flatMap(({key}) =>
      isScalar(key) && key.range ? [[String(key.value), counter.linePos(key.range[0]).line] as const] : [],
    ),
  );
}
