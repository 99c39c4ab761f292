// How long buffers are waited for. A deadline then counts silence: a megabyte takes half a minute on some people's lines, and nothing is wrong
// with that. Whatever moves on the link in their direction breaks the silence, because transfers share it fairly: what waits has its turn.
import { callTimeoutMsMax } from '../limits.ts';
import type { Cancel, Clock } from '../platform.ts';

/**
 * Calls `over` once, unless it is cancelled: when `moved` has not grown for `silenceMs` (up to twice that, it is only looked at so often), and
 * after `callTimeoutMsMax` in any case.
 * @param moved bytes so far
 */
export function whileMoving(clock: Clock, silenceMs: number, moved: () => number, over: () => void): Cancel {
  const endsAt = clock.now() + callTimeoutMsMax;
  let seen = moved();
  const look = () => {
    const now = moved();
    const leftMs = endsAt - clock.now();
    if (now === seen || leftMs <= 0) return over();
    seen = now;
    cancel = clock.after(Math.min(silenceMs, leftMs), look);
  };
  let cancel = clock.after(silenceMs, look);
  return () => cancel();
}
