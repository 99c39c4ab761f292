/** All ways to choose `k` of 0..n-1, each in rising order. */
export function* subsets(n: number, k: number, from = 0): Generator<number[]> {
  if (k === 0) return yield [];
  for (let first = from; first <= n - k; first++) for (const rest of subsets(n, k - 1, first + 1)) yield [first, ...rest];
  return undefined;
}
