import { useEffect, useState } from 'react';
import { sentenceOf } from '../shell/deps.ts';

export interface Polled<T> {
  /** null until it came once; kept while asking again fails. */
  readonly value: T | null;
  /** Why the last asking failed; '' while all is well. */
  readonly problem: string;
}

/**
 * Asks at once, again `everyMs` after each answer, and when `ask` is another function (keep it the same with useCallback). A page that
 * nobody sees asks nothing.
 */
export function usePolled<T>(ask: () => Promise<T>, everyMs: number): Polled<T> {
  const [polled, setPolled] = useState<Polled<T>>({ value: null, problem: '' });
  useEffect(() => {
    let wanted = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = async () => {
      timer = undefined;
      if (document.hidden) return;
      try {
        const value = await ask();
        if (wanted) setPolled({ value, problem: '' });
      } catch (error) {
        if (wanted) setPolled((before) => ({ ...before, problem: sentenceOf(error) }));
      }
      if (wanted) timer = setTimeout(() => void turn(), everyMs);
    };
    const shown = () => {
      if (!document.hidden && timer === undefined) void turn();
    };
    void turn();
    document.addEventListener('visibilitychange', shown);
    return () => {
      wanted = false;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', shown);
    };
  }, [ask, everyMs]);
  return polled;
}
