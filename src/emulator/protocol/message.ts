import type {IncomingHttpHeaders} from 'node:http';

/** A request once its body has been read. */
export interface Incoming {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An answer before the headers that every answer has. */
export interface Outgoing {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** The code of an error, where the protocol says it in a header. */
  readonly errorType?: string;
}
