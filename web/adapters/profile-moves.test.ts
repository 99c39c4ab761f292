import { expect, test } from 'vitest';
import { profileMoves } from './profile-moves.ts';

test('when one tab moves, it and every other tab of the profile are loaded again, each once', async () => {
  const loads: string[] = [];
  const name = `moves ${Math.random()}`;
  const channels = ['a', 'b', 'c'].map((tab) => ({ tab, channel: new BroadcastChannel(name) }));
  const heard = new Promise<void>((resolve) => {
    const [first] = channels.map(({ tab, channel }) =>
      profileMoves(
        () => {
          loads.push(tab);
          if (loads.length === channels.length) resolve();
        },
        () => channel,
      ),
    );
    first!.moved();
  });
  await heard;
  expect(loads.toSorted()).toEqual(['a', 'b', 'c']);
  for (const { channel } of channels) channel.close();
});

test('where there is no channel the tab itself is loaded again', () => {
  let loads = 0;
  profileMoves(
    () => loads++,
    () => undefined,
  ).moved();
  expect(loads).toBe(1);
});
