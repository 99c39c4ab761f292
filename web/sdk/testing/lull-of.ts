// The public API over a whole kernel of a test's group.
import { textStart } from '../../kernel/lib/line-count.ts';
import { pack } from '../../kernel/lib/packed.ts';
import { encodeValue } from '../../kernel/lib/value-codec.ts';
import type { Bus } from '../../kernel/service.ts';
import { seededRandom } from '../../kernel/testing/seeded-random.ts';
import type { TestGroup, TestPeer } from '../../kernel/testing/test-group.ts';
import { createLull } from '../lull.ts';
import type { Lull } from '../types.ts';

/** Packs values here, as the Worker does for a page; files are for real tabs. */
const codec = {
  countLines: () => Promise.resolve({ ...textStart, begun: 0, binary: false, wrongLine: null }),
  packPage: (values: readonly unknown[]) =>
    Promise.resolve({ ok: true as const, page: pack(values.map((value) => encodeValue(value))), items: values.length }),
};

/** Each tab numbers its jobs by its own name. `bus` is for tests that listen in. */
export function lullOf(group: TestGroup, peer: TestPeer, bus: Bus = peer.kernel.bus): Lull {
  return createLull({
    started: Promise.resolve(),
    bus: () => bus,
    onKernel: (listener) => {
      listener(bus);
      return () => undefined;
    },
    clock: group.clock,
    random: seededRandom(`page ${peer.name}`),
    codec,
  });
}
