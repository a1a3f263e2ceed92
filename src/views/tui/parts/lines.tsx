import {Box, Text} from 'ink';
import {createContext, use} from 'react';
import {toAscii} from '../text/glyphs.ts';
import {type Line, type Span, widthOf} from '../text/line.ts';

/** Whether our signs are replaced by ASCII. Provided once, at the root. */
export const AsciiContext = createContext(false);

/** Lines as they are. They have been cut and cleaned before (`text/line.ts`): nothing is wrapped or measured here. */
export function Lines({lines}: {readonly lines: readonly Line[]}) {
  return (
    <Box flexDirection="column" flexShrink={0}>
      {lines.map((line, index) => (
        <OneLine key={index} line={line} />
      ))}
    </Box>
  );
}

export function OneLine({line}: {readonly line: Line}) {
  // A text without a character has no height in Ink.
  return (
    <Text wrap="truncate-end">{widthOf(line) === 0 ? ' ' : line.map((part, index) => <Piece key={index} part={part} />)}</Text>
  );
}

function Piece({part: {text, colour, bold, dim}}: {readonly part: Span}) {
  const shown = use(AsciiContext) ? toAscii(text) : text;
  return (
    <Text {...(colour && {color: colour})} bold={bold ?? false} dimColor={dim ?? false}>
      {shown}
    </Text>
  );
}
