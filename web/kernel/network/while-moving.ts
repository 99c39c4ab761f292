// How long buffers are waited for. A deadline then counts silence: a megabyte takes half a minute on some people's lines, and nothing is wrong
// with that. Whatever moves on the link in their direction breaks the silence, because transfers share it fairly: what waits has its turn.
import type { Cancel, Clock } from '../platform.ts';

/** What moves more slowly than this is silence: bytes a millisecond. */
export const movingBytesPerMsMin = 1;

/**
 * Calls `over` once, unless it is cancelled: where less has `moved` in `silenceMs` than `movingBytesPerMsMin` (up to twice as late, it is only
 * looked at so often), and at `endsAt` in any case.
 * @param moved bytes so far
 */
export function whileMoving(clock: Clock, silenceMs: number, endsAt: number, moved: () => number, over: () => void): Cancel {
  let seen = moved();
  const look = () => {
    const now = moved();
    const leftMs = endsAt - clock.now();
    if (now - seen < silenceMs * movingBytesPerMsMin || leftMs <= 0) return over();
    seen = now;
    cancel = clock.after(Math.min(silenceMs, leftMs), look);
  };
  let cancel = clock.after(Math.min(silenceMs, Math.max(0, endsAt - clock.now())), look);
  return () => cancel();
}
