/** The least that Ink can do: what the wizard's first frame is measured against. */
import {Text, render} from 'ink';

render(<Text>hello</Text>);
