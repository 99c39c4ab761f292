// One job while donors crash, come back under their store, and the group is cut in two, again and again. A seed is a run.
import { describe, expect, it } from 'vitest';
import { decodeValue } from './lib/value-codec.ts';
import { seededRandom } from './testing/seeded-random.ts';
import { TestGroup, type TestPeer } from './testing/test-group.ts';

const items = 1_500;
const faults = 8;
const names = ['submitter', 'donor 0', 'donor 1', 'donor 2', 'donor 3', 'donor 4'];
/** Every 97th item throws wherever it is tried. */
const throws = (index: number) => index % 97 === 3;
const script = (index: number) => (throws(index) ? { ms: 3, error: `no ${index}` } : { ms: 10 + (index % 7) * 5, value: index * 2 });
const expected = Array.from({ length: items }, (_, index) => (throws(index) ? `no ${index}` : index * 2));

describe('a job in a restless group', () => {
  it.each(['a', 'b', 'c', 'd', 'e'])(
    'ends with every item once (seed %s)',
    async (seed) => {
      const random = seededRandom(`chaos ${seed}`);
      const below = (ms: number) => random.fraction() * ms;
      const group = new TestGroup({ seed: `chaos ${seed}`, network: { delayMs: 5, jitterMs: below(80) }, script });
      const peers: TestPeer[] = [];
      for (const name of names) peers.push(await group.start(name));
      for (const donor of peers.slice(1)) await group.donate(donor);
      await group.joined(peers, names.length - 1);
      const job = await group.submit(peers[0]!, items);
      for (let fault = 0; fault < faults; fault++) {
        await group.clock.advance(200 + below(800));
        const victim = 1 + Math.floor(below(names.length - 1));
        if (random.fraction() < 0.6) {
          await group.crash(peers[victim]!);
          if (random.fraction() < 0.5) await group.clock.advance(below(12_000));
          peers[victim] = await group.start(names[victim]!);
        } else {
          const ids = peers.map(({ kernel }) => kernel.self.peer);
          group.network.partition(ids.slice(0, victim), ids.slice(victim));
          await group.clock.advance(below(9_000));
          group.network.heal();
        }
      }
      await group.ended(peers[0]!, job, 200_000);
      const results = await group.results(peers[0]!, job);
      expect(results.map((result) => (typeof result === 'string' ? result : decodeValue(result)))).toEqual(expected);
      expect(peers.flatMap(({ bugs }) => bugs)).toEqual([]);
    },
    30_000,
  );
});
