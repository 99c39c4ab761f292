// Who is on which shard, and what shards say to each other.
import { expect, test } from 'vitest';
import { gather, oneShard, shardsOfTabs, type Shards } from './shards.ts';

test('tabs that start one after the other fill a group on one shard, the next group on the next', () => {
  const startMs = [50, 10, 40, 20, 30, 60, 60];
  expect(shardsOfTabs(startMs, 2, 2)).toEqual([0, 0, 1, 0, 1, 0, 1]);
  expect(shardsOfTabs(startMs, 2, 1)).toEqual([0, 0, 0, 0, 0, 0, 0]);
});

test('what all say is heard in their order; who is at another point of the run is found out', () => {
  let said: Uint8Array<ArrayBuffer> = new Uint8Array();
  const first: Shards = { index: 0, count: 2, exchange: (mine) => [(said = mine), said] };
  const second: Shards = { index: 1, count: 2, exchange: (mine) => [said, mine] };
  expect(gather(oneShard, 'alone', 'mine')).toEqual(['mine']);
  gather(first, 'sums', { sum: 1 });
  expect(gather(second, 'sums', { sum: 2 })).toEqual([{ sum: 1 }, { sum: 2 }]);
  expect(() => gather(second, 'hashes', '')).toThrow('at "sums"');
});
