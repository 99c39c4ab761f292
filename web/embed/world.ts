// Each embedding site has a world of its own in this browser: identity, jobs, data. Browsers that partition storage keep them apart by
// themselves; the names keep them apart where that is off, or where one site frames another.

export interface World {
  /** Database of the store, of the identity, and the lock of who speaks for them; null: nothing is kept. */
  readonly store: string | null;
  readonly identity: string | null;
}

/**
 * @param origin of the embedding page, as the browser says. 'null' is said of all pages without one (files, sandboxed frames), so they
 * would share a world: theirs ends with the page
 * @param imported the identity that the page brought, which has a world beside the page's own
 * @param network the id of a private network, whose data is kept apart; one identity is the same in all networks
 */
export function worldOf(origin: string, imported: string | null, network: string | null): World {
  if (origin === 'null' || origin === '') return { store: null, identity: null };
  const store = `lull@${origin}${imported === null ? '' : `#${imported}`}${network === null ? '' : `/${network}`}`;
  return { store, identity: imported === null ? `lull-identity@${origin}` : null };
}
