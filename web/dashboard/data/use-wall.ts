import { useEffect, useState } from 'react';

const everyMs = 30_000;

/** Date.now(), renewed twice a minute: for times that are said in minutes and days. */
export function useWall(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, []);
  return now;
}
