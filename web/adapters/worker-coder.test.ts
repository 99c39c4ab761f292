// The page's half of the erasure code against the Worker's, with the buffers handed over as between threads.
import type { Remote } from 'comlink';
import { expect, test } from 'vitest';
import type { Codec } from '../../worker/codec.ts';
import { ErasureCoder, type CodingTask } from '../../worker/erasure.ts';
import { coderContract } from '../kernel/testing/coder-contract.ts';
import { vitestSuite } from '../kernel/testing/vitest-suite.ts';
import { FaultError } from '../kernel/lib/outcome.ts';
import { workerCoder } from './worker-coder.ts';

/** A codec Worker without the thread: what goes there and what comes back is moved, and gone where it came from. */
function codecThread() {
  const erasure = new ErasureCoder();
  const seen: ArrayBuffer[] = [];
  let failing = false;
  const codec = {
    codeSlices: (task: CodingTask) => {
      const arrived = structuredClone(task, { transfer: [task.slices] });
      if (failing) {
        failing = false;
        return Promise.reject(new RangeError('out of memory'));
      }
      const answer = erasure.code(arrived);
      return Promise.resolve(structuredClone(answer, { transfer: [answer.made, answer.slices] })).then((moved) => {
        seen.push(moved.slices);
        return moved;
      });
    },
  } as unknown as Remote<Codec>;
  return { seen, fail: () => (failing = true), coder: workerCoder((run) => run(codec)) };
}

coderContract(vitestSuite('over a Worker'), () => codecThread().coder);

test('a call uses the memory of the one before', async () => {
  const { coder, seen } = codecThread();
  const first = await coder.encode(new Uint8Array(100_000).fill(1), 4, 6);
  const second = await coder.encode(new Uint8Array(99_999).fill(2), 4, 6);
  expect(seen.map(({ byteLength }) => byteLength)).toEqual([0, 100_096]);
  // The tail of the shorter segment is zeros, not what the longer one left there.
  expect(second[3]!.subarray(-97).every((byte) => byte === 0)).toBe(true);
  const parity = await coder.recover(new Map([0, 1, 2, 3].map((index) => [index, second[index]!])), 4, 6, [4, 5]);
  expect(parity).toEqual(second.slice(4));
  expect(first[4]![0]).toBe(0);
});

test('a Worker that fails is a fault, and the next call does not miss the memory that went with it', async () => {
  const { coder, fail } = codecThread();
  await coder.encode(new Uint8Array(100_000), 4, 6);
  fail();
  await expect(coder.encode(new Uint8Array(100_000), 4, 6)).rejects.toThrow(FaultError);
  expect((await coder.encode(new Uint8Array(100_000).fill(1), 4, 6)).length).toBe(6);
});
