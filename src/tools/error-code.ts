/** Whether an error is the operating system's own, of this kind (`ENOENT`, `EEXIST`, …). Depends on nothing, for the supervisor. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
