// The operator of a site and the desk through which tabs reach them, for tests.
import { encodeWire } from '../lib/wire-codec.ts';
import { failure, success } from '../lib/outcome.ts';
import type { OperatorDesk } from '../platform.ts';
import { denyListStatement, readReport, type DenyEntry, type Report, type SignedDenyList } from '../protocol/deny-list.ts';
import { testSigner } from './test-crypto.ts';

const signer = testSigner('the operator');
export const operatorKey = signer.identity;

/** A list as the operator signs it, or whoever else `by` is. */
export async function signedList(version: number, entries: readonly DenyEntry[], by = signer): Promise<SignedDenyList> {
  const bytes = encodeWire({ v: 1, version, signedAt: 1_000, entries });
  return { bytes, signature: await by.sign(denyListStatement(bytes)) };
}

export class MadeUpDesk implements OperatorDesk {
  readonly key = operatorKey;
  /** What the server hands out. */
  list: SignedDenyList | null = null;
  /** The server cannot be reached. */
  away = false;
  readonly reports: Report[] = [];
  fetches = 0;

  fetchList() {
    this.fetches++;
    return Promise.resolve(this.away ? failure('unreachable', 'The server is away.') : success(this.list));
  }

  sendReport({ bytes }: { readonly bytes: Uint8Array }) {
    if (this.away) return Promise.resolve(failure('unreachable', 'The server is away.'));
    this.reports.push(readReport(bytes)!);
    return Promise.resolve(success(undefined));
  }
}
