import {Box, Text, useIsScreenReaderEnabled} from 'ink';
import {createContext, use} from 'react';
import {toAscii, toWords} from '../text/glyphs.ts';
import {type Palette, sixteen} from '../text/palette.ts';
import {cut, type Line, type Span, widthOf} from '../text/line.ts';

/** Whether our signs are replaced by ASCII. Provided once, at the root. */
export const AsciiContext = createContext(false);

/** What our colours are in this terminal. Provided once, at the root. */
export const PaletteContext = createContext<Palette>(sixteen);

interface Props {
  readonly lines: readonly Line[];
  readonly width: number;
}

/** The only text on the screen: lines, each one row high and at most `width` columns wide. Ink has nothing to wrap. */
export function Lines({lines, width}: Props) {
  if (useIsScreenReaderEnabled()) return <Spoken lines={lines} />;
  return (
    <Box flexDirection="column" flexShrink={0}>
      {lines.map((line, index) => (
        <Row key={index} line={cut(line, width)} />
      ))}
    </Box>
  );
}

/** The same lines, read aloud: whole, without columns, without empty ones. */
function Spoken({lines}: Pick<Props, 'lines'>) {
  const isAscii = use(AsciiContext);
  const texts = lines.map(line => toWords(line.map(({text}) => text).join(''))).filter(text => text.trim() !== '');
  return (
    <Box flexDirection="column">
      {texts.map((text, index) => (
        <Text key={index}>{isAscii ? toAscii(text) : text}</Text>
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

function Piece({part: {text, colour, bold, dim, inverse}}: {readonly part: Span}) {
  const shown = use(AsciiContext) ? toAscii(text) : text;
  const palette = use(PaletteContext);
  return (
    <Text {...(colour && {color: palette[colour]})} bold={bold ?? false} dimColor={dim ?? false} inverse={inverse ?? false}>
      {shown}
    </Text>
  );
}
