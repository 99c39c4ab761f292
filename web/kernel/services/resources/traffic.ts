// Bytes sent and fetched today, from the counters of links that come and go. Pure.
export interface Traffic {
  /** Whole days since 1970 by the machine's own calendar. */
  readonly day: number;
  readonly upBytes: number;
  readonly downBytes: number;
}

/** What each open link had counted when it was last looked at. */
export type Counted = ReadonlyMap<string, { readonly up: number; readonly down: number }>;

export interface LinkBytes {
  readonly peer: string;
  readonly openedAt: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

export const dayOf = (localMs: number): number => Math.floor(localMs / 86_400_000);

/** Midnight begins anew. */
export const onDay = (traffic: Traffic, day: number): Traffic => (traffic.day === day ? traffic : { day, upBytes: 0, downBytes: 0 });

export function count(
  traffic: Traffic,
  counted: Counted,
  links: readonly LinkBytes[],
  day: number,
): { traffic: Traffic; counted: Counted } {
  let { upBytes, downBytes } = onDay(traffic, day);
  const next = new Map<string, { up: number; down: number }>();
  for (const { peer, openedAt, bytesIn, bytesOut } of links) {
    // A link that was opened again counts from nothing.
    const key = `${peer} ${openedAt}`;
    const before = counted.get(key) ?? { up: 0, down: 0 };
    upBytes += Math.max(0, bytesOut - before.up);
    downBytes += Math.max(0, bytesIn - before.down);
    next.set(key, { up: bytesOut, down: bytesIn });
  }
  return { traffic: { day, upBytes, downBytes }, counted: next };
}
