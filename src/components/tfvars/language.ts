/** What tfvars needs from a syntax: HCL and JSON each are one. */
import type {Edit, Range, Source} from '../editing/source.ts';

export interface Attribute {
  readonly name: string;
  /** Where its name starts. */
  readonly at: number;
  readonly value: Range;
  /** The value, decoded, when it is a plain quoted string; before Terraform's normalisation. */
  readonly string: string | undefined;
}

export interface Language {
  /** The top-level attributes in order, duplicates included. Throws where the text cannot be read. */
  readonly read: (source: Source) => readonly Attribute[];
  /** A string as a value of the language. */
  readonly encode: (value: string) => string;
  /** The edit that adds attributes behind the last one, in the style of the file. Throws for a name that the language cannot write. */
  readonly append: (source: Source, entries: readonly Entry[]) => Edit;
}

/** A name and its new value, as the language writes it. */
export type Entry = readonly [name: string, written: string];
