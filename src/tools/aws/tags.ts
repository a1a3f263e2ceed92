/**
 * Whether a tag was given by people: those that AWS itself has put there (CloudFormation names its stack in `aws:cloudformation:…`)
 * are shown by Describe, and refused by whatever would set them.
 */
export function isOwnTag(key: string | undefined): boolean {
  return !/^aws:/i.test(key ?? '');
}
