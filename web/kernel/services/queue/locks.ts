// What a holder decides about one record's lock (rules 3 and 4). Pure: the caller makes the state durable, then answers.
//
//            lock: fence + 1                         release, end: by the owner, with its fence
//   free  ------------------>  leased  -------------------------------------------------------->  free / deleted
//          (again when the lease has run out, when the owner is suspected, or by the same owner)
//
// The fencing number never falls, whatever is lost: it lives in the store with the record.
import type { PeerId } from '../../lib/ids.ts';
import { leaseMs } from '../../limits.ts';

export interface LockState {
  /** The highest ever granted here, 0 before the first. */
  readonly fence: number;
  readonly owner: PeerId | null;
  /** On the holder's own monotonic clock: the lease runs until here. Means nothing without an owner. */
  readonly until: number;
}

export type LockRequest =
  /** `ownerLost`: membership suspects the present owner, or saw it go (rule 4's early grant). */
  | { readonly kind: 'lock'; readonly by: PeerId; readonly ownerLost: boolean }
  | { readonly kind: 'renew' | 'release' | 'end'; readonly by: PeerId; readonly fence: number };

export type LockAnswer =
  | { readonly kind: 'granted'; readonly fence: number }
  | { readonly kind: 'leased'; readonly retryMs: number; readonly owner: PeerId }
  | { readonly kind: 'renewed' | 'released' | 'ended' }
  /** The fencing number, or the asker, is not the present one. */
  | { readonly kind: 'superseded' };

export const freeLock: LockState = { fence: 0, owner: null, until: 0 };

/** A lock as found in the store after a restart: how long its lease still ran is unknown, so it runs in full from now. */
export const restoredLock = (fence: number, owner: PeerId | null, now: number): LockState => ({
  fence,
  owner,
  until: owner === null ? 0 : now + leaseMs,
});

export function decide(state: LockState, request: LockRequest, now: number): readonly [LockState, LockAnswer] {
  if (request.kind === 'lock') {
    const { owner } = state;
    if (owner !== null && owner !== request.by && !request.ownerLost && now < state.until) {
      return [state, { kind: 'leased', retryMs: state.until - now, owner }];
    }
    const fence = state.fence + 1;
    return [
      { fence, owner: request.by, until: now + leaseMs },
      { kind: 'granted', fence },
    ];
  }
  // A lease that ran out is still its owner's as long as nobody was granted a higher number.
  if (state.owner !== request.by || state.fence !== request.fence) return [state, { kind: 'superseded' }];
  if (request.kind === 'renew') return [{ ...state, until: now + leaseMs }, { kind: 'renewed' }];
  return [{ ...state, owner: null, until: 0 }, { kind: request.kind === 'release' ? 'released' : 'ended' }];
}
