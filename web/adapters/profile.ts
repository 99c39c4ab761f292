// One tab of a browser profile speaks for the profile's store; the others wait for its lock and take over when it goes.

export interface Election {
  /** Gives the office up, or stops waiting for it. */
  stop(): void;
}

export interface ElectionListener {
  /** This tab speaks for the store from now on. */
  onElected(): void;
  /** Another tab speaks; called once, only if this one has to wait. */
  onWaiting?(): void;
  /** The office was lost without `stop`. */
  onLost?(): void;
}

/** Elects by Web Lock, which the browser frees when the tab ends, however it ends. Where there are no locks every tab is elected. */
export function electSpeaker(name: string, listener: ElectionListener): Election {
  if (navigator.locks === undefined) {
    queueMicrotask(() => listener.onElected());
    return { stop: () => undefined };
  }
  const ended = new AbortController();
  let resign: () => void = () => undefined;
  let waiting = true;
  let stopped = false;
  const hold = () => {
    waiting = false;
    if (stopped) return Promise.resolve();
    const held = new Promise<void>((resolve) => (resign = resolve));
    listener.onElected();
    return held;
  };
  const lost = () => {
    if (!stopped) listener.onLost?.();
  };
  void navigator.locks
    .request(name, { ifAvailable: true }, async (lock) => {
      if (lock !== null) await hold();
      return lock !== null;
    })
    .then((served) => {
      if (served || stopped) return undefined;
      listener.onWaiting?.();
      return navigator.locks.request(name, { signal: ended.signal }, hold);
    })
    .catch(lost);
  return {
    stop: () => {
      stopped = true;
      if (waiting) ended.abort();
      else resign();
    },
  };
}
