/** Image names in task definitions: `host[:port]/repository[:tag][@digest]`. */

/** The tag of an image name; undefined where it has none. */
export function tagOf(image: string): string | undefined {
  const [name = ''] = image.split('@');
  const colon = name.lastIndexOf(':');
  // A colon before the last slash belongs to a port.
  return colon > name.lastIndexOf('/') ? name.slice(colon + 1) : undefined;
}

/** The digest that an image name holds; undefined where it names its image by tag alone. */
export function digestIn(image: string): string | undefined {
  return /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
}

/** The repository of an image in some account's ECR; undefined for an image of any other registry. */
export function ecrRepository(image: string): string | undefined {
  return /^\d{12}\.dkr\.ecr\.[^/]+\/([^:@]+)/.exec(image)?.[1];
}

/** `sha256:9f3c41…a1`, short enough for a line, long enough to tell apart. */
export function shortDigest(digest: string): string {
  return /^sha256:[0-9a-f]{64}$/.test(digest) ? `${digest.slice(0, 19)}…` : digest;
}
