// What is found out about the lines of a text, which comes part by part.
/** What of the text so far matters for its next part. */
export interface TextSoFar {
  /** The next bytes begin a line. */
  readonly atLineStart: boolean;
  /** Of a character that goes on in the next bytes: three at most. */
  readonly unfinished: Uint8Array;
}

export interface LineCount extends TextSoFar {
  /** Lines that begin in these bytes. */
  readonly begun: number;
  /** A NUL byte: this is no text. */
  readonly binary: boolean;
  /** Which of these lines is not UTF-8, from 1; 0 for the one that began before; null where all are. */
  readonly wrongLine: number | null;
}

export const textStart: TextSoFar = { atLineStart: true, unfinished: new Uint8Array() };
