import {Box, Text} from 'ink';
import {createContext, use} from 'react';
import {toAscii} from '../text/glyphs.ts';
import {cut, type Line, type Span, widthOf} from '../text/line.ts';

/** Whether our signs are replaced by ASCII. Provided once, at the root. */
export const AsciiContext = createContext(false);

interface Props {
  readonly lines: readonly Line[];
  readonly width: number;
}

/** The only text on the screen: lines, each one row high and at most `width` columns wide. Ink has nothing to wrap. */
export function Lines({lines, width}: Props) {
  return (
    <Box flexDirection="column" flexShrink={0}>
      {lines.map((line, index) => (
        <Row key={index} line={cut(line, width)} />
      ))}
    </Box>
  );
}

function Row({line}: {readonly line: Line}) {
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
