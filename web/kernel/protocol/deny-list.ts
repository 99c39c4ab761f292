// What the operator of a site has denied, and what donors report to them. Both are signed: a list by the operator's key, so that any tab may
// pass it on; a report by who reports.
import * as v from 'valibot';
import { bytesOfHex, hexOf } from '../lib/bytes.ts';
import { decodeWire, encodeWire } from '../lib/wire-codec.ts';
import { denyEntriesMax, denyListBytesMax, reportBytesMax } from '../limits.ts';
import { amount, bytes, hashSchema, identityIdSchema, jobIdSchema, listOf, positive, text } from './schemas.ts';

export const deniedKinds = ['job', 'code', 'identity'] as const;
export type DeniedKind = (typeof deniedKinds)[number];

export const denyEntrySchema = v.strictObject({
  what: v.picklist(deniedKinds),
  /** A job's id, the hash of code as receipts name it, or an identity. */
  id: hashSchema,
  /** The operator's own words: whoever is concerned reads them. */
  reason: v.pipe(text(200), v.minLength(1)),
});
export type DenyEntry = v.InferOutput<typeof denyEntrySchema>;

export const denyListSchema = v.strictObject({
  v: v.literal(1),
  /** Of two lists the one with the higher version counts. */
  version: positive,
  /** By the operator's clock, ms since 1970; shown, never decided by. */
  signedAt: amount,
  entries: listOf(denyEntrySchema, denyEntriesMax),
});
export type DenyList = v.InferOutput<typeof denyListSchema>;

export const signedDenyListSchema = v.strictObject({ bytes: bytes(denyListBytesMax), signature: bytes(64) });
export type SignedDenyList = v.InferOutput<typeof signedDenyListSchema>;

/** What the operator's key signs. */
export const denyListStatement = (list: Uint8Array) => encodeWire(['lull deny list v1', list]);

/** undefined where the bytes are no deny list. */
export function readDenyList(list: Uint8Array): DenyList | undefined {
  const parsed = v.safeParse(denyListSchema, decodeWire(list));
  return parsed.success ? parsed.output : undefined;
}

/** Why a donor reports a job, in the words of the form. */
export const reportReasons = {
  attacks: 'It attacks other machines, or cracks passwords',
  mines: 'It makes money with my machine',
  unlawful: 'It does something unlawful',
  harms: 'It harms this machine or this browser',
  other: 'Something else',
} as const;
export type ReportReason = keyof typeof reportReasons;
export const reportWordsMax = 1_000;

export const reportReasonSchema = v.picklist(Object.keys(reportReasons) as ReportReason[]);

export const reportSchema = v.strictObject({
  v: v.literal(1),
  reporter: identityIdSchema,
  network: text(128),
  job: jobIdSchema,
  name: text(200),
  submitter: identityIdSchema,
  codeHash: hashSchema,
  reason: reportReasonSchema,
  words: text(reportWordsMax),
  /** By the reporter's clock, ms since 1970. */
  at: amount,
});
export type Report = v.InferOutput<typeof reportSchema>;

/** By `reporter`. */
export const signedReportSchema = v.strictObject({ bytes: bytes(reportBytesMax), signature: bytes(64) });
export type SignedReport = v.InferOutput<typeof signedReportSchema>;

/** What the reporter's key signs. */
export const reportStatement = (report: Uint8Array) => encodeWire(['lull report v1', report]);

/** undefined where the bytes are no report. */
export function readReport(report: Uint8Array): Report | undefined {
  const parsed = v.safeParse(reportSchema, decodeWire(report));
  return parsed.success ? parsed.output : undefined;
}

const hexText = (bytesMax: number) => v.pipe(v.string(), v.maxLength(2 * bytesMax), v.regex(/^(?:[0-9a-f]{2})*$/));
const signedTextSchema = v.strictObject({
  bytes: hexText(Math.max(denyListBytesMax, reportBytesMax)),
  signature: v.pipe(hexText(64), v.length(128)),
});

/** Signed bytes as they lie in a file and go over HTTP: one line of JSON, bytes in hex. */
export const signedText = (signed: { readonly bytes: Uint8Array; readonly signature: Uint8Array }): string =>
  JSON.stringify({ bytes: hexOf(signed.bytes), signature: hexOf(signed.signature) });

/** undefined where the text is none of that form; whether the bytes make sense is not looked at. */
export function parseSignedText(line: string): { readonly bytes: Uint8Array; readonly signature: Uint8Array } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const parsed = v.safeParse(signedTextSchema, value);
  return parsed.success ? { bytes: bytesOfHex(parsed.output.bytes), signature: bytesOfHex(parsed.output.signature) } : undefined;
}

/** The entries of a list, to be asked by id. */
export class Denied {
  readonly #reasons: ReadonlyMap<string, string>;

  constructor(entries: readonly DenyEntry[]) {
    this.#reasons = new Map(entries.map(({ what, id, reason }) => [`${what} ${id}`, reason]));
  }

  /** Why this job is denied, as a sentence for whoever reads its page; undefined where it is not. */
  whyJob(job: { readonly id: string; readonly codeHash: string; readonly submitter: string }): string | undefined {
    return this.#said('job', job.id) ?? this.#said('code', job.codeHash) ?? this.#said('identity', job.submitter);
  }

  whyIdentity(identity: string): string | undefined {
    return this.#said('identity', identity);
  }

  #said(what: DeniedKind, id: string): string | undefined {
    const reason = this.#reasons.get(`${what} ${id}`);
    return reason === undefined ? undefined : `The operator of this site has denied ${deniedWords[what]}: ${reason}`;
  }
}

const deniedWords: Readonly<Record<DeniedKind, string>> = {
  job: 'this job',
  code: 'the code of this job',
  identity: 'everything of whoever submitted it',
};

export const nothingDenied = new Denied([]);
