import {StringDecoder} from 'node:string_decoder';

/** A line without an end would grow for ever. No event of Terraform's and no log line is this long. In UTF-16 units. */
const longestLine = 4 * 1024 * 1024;

/**
 * Cuts a stream of bytes into lines. `\n`, `\r\n` and a lone `\r` (a progress bar that redraws itself) end a line; characters and
 * line ends may be cut in two by chunks.
 */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  #rest = '';
  /** The last chunk ended in `\r`: a `\n` at the start of the next one belongs to it. */
  #afterReturn = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let text = this.#decoder.write(chunk);
    if (text === '') return;
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1);
    this.#afterReturn = text === '' ? false : text.endsWith('\r');

    const [first = '', ...others] = text.split(/\r\n|\n|\r/);
    this.#rest += first;
    for (const next of others) {
      this.#onLine(this.#rest);
      this.#rest = next;
    }
    if (this.#rest.length > longestLine) {
      this.#onLine(this.#rest);
      this.#rest = '';
    }
  }

  /** What came after the last line end is a line as well. */
  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (rest !== '') this.#onLine(rest);
  }
}
