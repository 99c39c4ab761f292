// Whether the browser may clear this site's data when the disk runs short. It is asked not to only where the person has just done
// something that makes sense of the question (Firefox shows it to them; Chromium and Safari decide by themselves), never at load.

/** unknown: the browser has no such promise to give. */
export type Durability = 'unknown' | 'not-asked' | 'refused' | 'kept';

/** Subset of StorageManager. */
export interface PersistentStorage {
  persisted(): Promise<boolean>;
  persist(): Promise<boolean>;
}

export interface DurableStorage {
  state(): Durability;
  subscribe(listener: () => void): () => void;
  /**
   * Call within a gesture of the person. The browser is asked once a page load; `again` is for a button that says so. Never rejects.
   */
  ask(again?: boolean): Promise<void>;
}

export function durableStorage(storage: PersistentStorage | undefined = storageOf()): DurableStorage {
  let state: Durability = storage === undefined ? 'unknown' : 'not-asked';
  let asked = false;
  const listeners = new Set<() => void>();
  const become = (next: Durability) => {
    if (next === state) return;
    state = next;
    for (const listener of listeners) listener();
  };
  // Reading what was promised before shows nothing to anybody.
  const known = storage?.persisted().then(
    (kept) => kept && become('kept'),
    () => become('unknown'),
  );
  return {
    state: () => state,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async ask(again = false) {
      if (storage === undefined || state === 'kept' || (asked && !again)) return;
      asked = true;
      try {
        // Asked at once: a gesture counts only for a moment. What was promised before is promised again.
        const kept = await storage.persist();
        await known;
        become(kept ? 'kept' : 'refused');
      } catch {
        become('unknown');
      }
    },
  };
}

const storageOf = (): PersistentStorage | undefined =>
  typeof navigator !== 'undefined' && typeof navigator.storage?.persist === 'function' ? navigator.storage : undefined;
