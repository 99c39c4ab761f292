// Who may run now: as many as the person allows, in order of asking. A run under suspicion of taking its frame's process down
// runs alone, because the frames of a site share one and die together: so nobody is blamed for another's memory.

export interface Ticket {
  readonly id: number;
  readonly alone: boolean;
}

export interface Slots {
  readonly allowed: number;
  /** In order of starting. */
  readonly running: readonly Ticket[];
  /** In order of asking. */
  readonly waiting: readonly Ticket[];
}

/** Those of `waiting` that start now. */
export function admitted({ allowed, running, waiting }: Slots): readonly Ticket[] {
  const started: Ticket[] = [];
  if (running.some((ticket) => ticket.alone)) return started;
  for (const ticket of waiting) {
    const count = running.length + started.length;
    if (count >= (ticket.alone ? 1 : allowed) || allowed === 0) break;
    started.push(ticket);
    if (ticket.alone) break;
  }
  return started;
}

/** Those that must end now: all, waiting ones too, when nothing may run; the latest beyond what is allowed otherwise. */
export function evicted({ allowed, running, waiting }: Slots): readonly Ticket[] {
  return allowed === 0 ? [...running, ...waiting] : running.slice(allowed);
}
