// Randomness from the browser's cryptographic source, also for pauses: one weak source less to mistake for a strong one.
import type { Random } from '../kernel/platform.ts';

/** What getRandomValues gives at once. */
const bytesPerCallMax = 65_536;

export function browserRandom(): Random {
  const pool = new Uint32Array(256);
  let used = pool.length;
  return {
    bytes: (length) => {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += bytesPerCallMax) crypto.getRandomValues(bytes.subarray(at, at + bytesPerCallMax));
      return bytes;
    },
    fraction: () => {
      if (used === pool.length) {
        crypto.getRandomValues(pool);
        used = 0;
      }
      return pool[used++]! / 2 ** 32;
    },
  };
}
