import { expect, it } from 'vitest';
import { testBus, testIdentity } from '../../sdk/testing/test-bus.ts';
import { objectSource } from './objects.ts';

interface Query {
  readonly of: string;
  readonly after?: string;
  readonly max: number;
}

const idOf = (n: number) => n.toString(16).padStart(64, '0');

/** A kernel that knows `count` objects and gives at most `pageMax` at a time. */
const kernelWith = (count: number, pageMax: number, asked: Query[] = []) =>
  testBus({
    'blocks objects query': (query: Query) => {
      asked.push(query);
      const first = query.after === undefined ? 0 : Number.parseInt(query.after, 16) + 1;
      const end = Math.min(count, first + Math.min(query.max, pageMax));
      const objects = Array.from({ length: end - first }, (_, i) => ({ id: idOf(first + i) }));
      return { objects, next: end < count ? idOf(end - 1) : null };
    },
  });

it('lists all there are, page by page', async () => {
  const asked: Query[] = [];
  const { objects, more } = await objectSource(() => kernelWith(25, 10, asked)).list('mine', 1_000);
  expect(objects.map(({ id }) => id)).toEqual(Array.from({ length: 25 }, (_, i) => idOf(i)));
  expect(more).toBe(false);
  expect(asked.map(({ of }) => of)).toEqual(['mine', 'mine', 'mine']);
});

it('stops at what was wanted and says that there are more', async () => {
  const { objects, more } = await objectSource(() => kernelWith(5_000, 1_000)).list('kept', 600);
  expect(objects).toHaveLength(600);
  expect(more).toBe(true);
});

it('looks at an object by its manifest and by who holds it', async () => {
  const bus = testBus({
    'blocks objects get': ({ id }: { id: string }) => ({
      manifest: { name: `name of ${id.at(-1)}`, type: 'text/plain', size: 9, expires: 5, by: testIdentity },
    }),
    'blocks objects lookup': () => ({
      copies: 1,
      k: 2,
      n: 6,
      held: 5,
      online: 4,
      lossEstimate: 0.01,
      heldHereBytes: 9,
      repairing: false,
    }),
  });
  expect(await objectSource(() => bus).look(idOf(3))).toEqual({
    id: idOf(3),
    name: 'name of 3',
    type: 'text/plain',
    size: 9,
    expires: 5,
    by: testIdentity,
    k: 2,
    n: 6,
    held: 5,
    online: 4,
    lossEstimate: 0.01,
    heldHereBytes: 9,
    repairing: false,
  });
});

it('rejects with a sentence where nobody knows the object, or it is none', async () => {
  const source = objectSource(() => testBus({}));
  await expect(source.look(idOf(1))).rejects.toThrow('Nothing answers that here.');
  await expect(source.look('photo')).rejects.toThrow('That is no reference to an object');
  await expect(source.list('mine', 10)).rejects.toThrow('Nothing answers that here.');
});
