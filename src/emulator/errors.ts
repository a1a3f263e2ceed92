/** An answer other than success, in AWS's terms. Each protocol writes it its own way. */
export class AwsError extends Error {
  /** The name that the SDK gives the exception, such as `ClusterNotFoundException`. */
  readonly code: string;
  /** The HTTP status: 4xx blames the caller, 5xx the service. */
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.name = 'AwsError';
    this.code = code;
    this.status = status;
  }
}
