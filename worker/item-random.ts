// Random numbers that depend on the job and the item alone, so that an item's result does not depend on who computed it.

/** sfc32, seeded by the job's id (64 hex digits) and the item's index; uniform in [0, 1). */
export function itemRandom(seed: string, index: number): () => number {
  let a = word(seed, 0) ^ index;
  let b = word(seed, 8) ^ Math.floor(index / 2 ** 32);
  let c = word(seed, 16);
  let counter = 1;
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  // Neighbouring indices differ in a few bits: stir until they no longer resemble each other.
  for (let i = 0; i < 16; i++) next();
  return () => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53;
}

const word = (hex: string, at: number) => Number.parseInt(hex.slice(at, at + 8), 16) | 0;
