// What one holder's lock on one record may answer (rules 3 to 5), whatever crashes: fencing numbers rise by one from what is durable, and
// only the present owner with its present number renews, releases or ends.
//
// Refusals carry no promise and are no part of a history. Leases end by time and by suspicion: whether a grant came too
// early is checked by the clock (queue-watch.ts), not here.
import type { Model } from './linearize.ts';

export type LockOp =
  /** `fence` null: no answer came. */
  | { readonly kind: 'lock'; readonly by: string; readonly fence: number | null }
  | { readonly kind: 'renewed' | 'released'; readonly by: string; readonly fence: number }
  | { readonly kind: 'end'; readonly by: string; readonly fence: number; readonly answer: 'ended' | 'conflict' | null }
  /** The holder let go of the record: its items are decided, or its lineage is lost. Where its lock has left the store, numbers may begin anew. */
  | { readonly kind: 'dropped'; readonly lockGone: boolean };

export interface LockState {
  readonly fence: number;
  readonly owner: string | null;
  readonly kept: boolean;
}

export const lockModel: Model<LockOp, LockState> = {
  initial: { fence: 0, owner: null, kept: true },
  looks: ({ kind }) => kind === 'renewed',
  key: ({ fence, owner, kept }) => `${fence} ${owner} ${kept}`,
  step: (state, op) => {
    switch (op.kind) {
      case 'lock':
        if (op.fence !== null && op.fence !== state.fence + 1) return undefined;
        return { fence: state.fence + 1, owner: op.by, kept: true };
      case 'renewed':
        return isOwner(state, op) ? state : undefined;
      case 'released':
        return isOwner(state, op) ? { ...state, owner: null } : state;
      case 'end':
        if (op.answer === 'ended' && state.kept && !isOwner(state, op)) return undefined;
        if (op.answer === 'conflict' && isOwner(state, op)) return undefined;
        return isOwner(state, op) ? { ...state, kept: false, owner: null } : state;
      case 'dropped':
        return op.lockGone ? { fence: 0, owner: null, kept: false } : { ...state, kept: false };
    }
  },
};

const isOwner = (state: LockState, op: { readonly by: string; readonly fence: number }) =>
  state.owner === op.by && state.fence === op.fence && state.kept;
