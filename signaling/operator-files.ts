// What the operator of a site keeps in one directory: their key, the deny list it signed, and the reports of donors.
import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identityId, isHex64, type IdentityId } from '../web/kernel/lib/ids.ts';
import { bytesOfHex, hexOf } from '../web/kernel/lib/bytes.ts';
import {
  denyListStatement,
  parseSignedText,
  readDenyList,
  readReport,
  reportStatement,
  signedText,
  type DenyList,
  type Report,
} from '../web/kernel/protocol/deny-list.ts';
import { encodeWire } from '../web/kernel/lib/wire-codec.ts';
import { denyListBytesMax } from '../web/kernel/limits.ts';
import { provenBy } from './identity-proof.ts';

/** The secret: 32 bytes in hex, for the command that signs; the server itself needs it not. */
export const secretFile = 'operator.key';
export const publicFile = 'operator.pub';
export const listFile = 'deny-list.json';
export const reportsFile = 'reports.jsonl';

/** undefined where there is no such file. @throws the file system's other errors */
export async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @throws Error with one line for a person where there is no key, or something else is in its place */
export async function publicKeyIn(directory: string): Promise<IdentityId> {
  const text = (await textOf(join(directory, publicFile)))?.trim();
  if (text === undefined) throw new Error(`There is no ${publicFile} in ${directory}. Make a key: npm start -- operator key`);
  if (!isHex64(text)) throw new Error(`${publicFile} in ${directory} is no public key: 64 hex digits are.`);
  return identityId(text);
}

/** RFC 8410: what precedes the seed in a PKCS #8 private key. */
const pkcs8Head = '302e020100300506032b657004220420';

export interface SigningKey {
  readonly identity: IdentityId;
  sign(bytes: Uint8Array): Uint8Array;
}

/** @param seed 64 hex digits */
export function signingKey(seed: string): SigningKey {
  const key: KeyObject = createPrivateKey({ key: Buffer.from(pkcs8Head + seed, 'hex'), format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(key).export({ format: 'jwk' });
  return { identity: identityId(Buffer.from(x!, 'base64url').toString('hex')), sign: (bytes) => sign(null, bytes, key) };
}

/** The list in a file's text, where `operator` signed it; else why it is none, in a sentence. */
export function openList(text: string, operator: IdentityId): { readonly list: DenyList } | { readonly problem: string } {
  const signed = parseSignedText(text);
  const list = signed === undefined ? undefined : readDenyList(signed.bytes);
  if (signed === undefined || list === undefined) return { problem: `${listFile} is no deny list.` };
  if (!provenBy(operator, denyListStatement(signed.bytes), hexOf(signed.signature)))
    return { problem: `${listFile} is not signed by the key in ${publicFile}.` };
  return { list };
}

/** @throws Error with one line for a person where it is too large */
export function closeList(list: DenyList, key: SigningKey): string {
  const bytes = encodeWire(list);
  if (bytes.length > denyListBytesMax || readDenyList(bytes) === undefined)
    throw new Error('The list is longer than tabs take: allow again what is long gone.');
  return `${signedText({ bytes, signature: key.sign(denyListStatement(bytes)) })}\n`;
}

/** A report in a line of JSON, where its reporter signed it; undefined elsewhere. */
export function openReport(line: string): Report | undefined {
  const signed = parseSignedText(line);
  const report = signed === undefined ? undefined : readReport(signed.bytes);
  if (signed === undefined || report === undefined) return undefined;
  return provenBy(report.reporter, reportStatement(signed.bytes), hexOf(signed.signature)) ? report : undefined;
}

/** Whole or not at all: a server may read it meanwhile. */
export async function writeWhole(path: string, text: string, mode = 0o644): Promise<void> {
  await writeFile(`${path}.new`, text, { mode });
  await rename(`${path}.new`, path);
}

export const seedOf = (text: string): string => hexOf(bytesOfHex(text.trim()));
