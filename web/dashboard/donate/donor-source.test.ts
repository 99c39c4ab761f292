import { expect, test } from 'vitest';
import { testBus } from '../../sdk/testing/test-bus.ts';
import { donorSource } from './donor-source.ts';

test('a limit is sent by itself: nothing is said on whether the person donates', async () => {
  const asked: unknown[] = [];
  const donor = donorSource(() => testBus({ 'resources limits update': (change) => asked.push(change) }));
  // Any other request would be refused.
  await donor.limit({ cores: 2 });
  expect(asked).toEqual([{ cores: 2 }]);
  await expect(donorSource(() => testBus({})).limit({ cores: 2 })).rejects.toThrow('Nothing answers that here.');
});
