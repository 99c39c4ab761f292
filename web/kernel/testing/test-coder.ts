// The code in the page's own thread: for tests and the simulator, where there is no Worker.
import { encodeScalar, recoverScalar } from '../lib/erasure/scalar.ts';
import type { Coder } from '../platform.ts';

export const testCoder: Coder = {
  async encode(segment, k, n) {
    return encodeScalar(segment, k, n);
  },
  async recover(slices, k, n, wanted) {
    return recoverScalar(slices, k, n, wanted);
  },
};
