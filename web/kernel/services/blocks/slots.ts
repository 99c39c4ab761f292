// Who keeps which slices: the words the parts of this service share.
import type { IdentityId, ObjectId, PeerId, StoreId } from '../../lib/ids.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import type { Recoding, signedRecodingSchema } from '../../protocol/object.ts';
import type * as v from 'valibot';

/**
 * Slice `index` of every segment of an object under the coding with this k: what one store keeps of an object. Slices depend on the
 * segment, k and the index alone, so whoever has the segments can make any slot. For k = 1 the index is 0 for everybody.
 */
export interface Slot {
  readonly object: ObjectId;
  readonly k: number;
  readonly index: number;
}

/** A member's store that says it keeps a slot of an object. */
export interface Holding {
  readonly peer: PeerId;
  readonly identity: IdentityId;
  readonly store: StoreId;
  readonly status: Member['status'];
  readonly k: number;
  readonly index: number;
}

/** What the group is known to keep of an object now, this store included. */
export interface WhoHolds {
  of(object: ObjectId): readonly Holding[];
}

export interface KeepOptions {
  readonly expires: number;
  /** Kept for convenience: dropped first when room is needed. */
  readonly pinned?: boolean;
  /** Its manifest is not here yet. */
  readonly orphan?: boolean;
  /** Whose slice it is, where its manifest is here. */
  readonly object?: ObjectId;
}

export type SignedRecoding = v.InferOutput<typeof signedRecodingSchema>;
export type { Recoding };
