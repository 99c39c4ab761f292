import { expect, test } from 'vitest';
import { networksKnownMax, type TextStorage } from './network-shelf.ts';
import { teamShelf } from './team-shelf.ts';

const keyOf = (n: number) => n.toString(16).padStart(64, '0');

function memory(text?: string): TextStorage {
  const items = new Map<string, string>(text === undefined ? [] : [['lull-teams', text]]);
  return { getItem: (key) => items.get(key) ?? null, setItem: (key, value) => void items.set(key, value) };
}

test('a profile gives for one team in each network, and every tab finds it', () => {
  const storage = memory();
  const shelf = teamShelf(storage);
  expect(shelf.of('public')).toBeNull();
  const [owls, crows] = [
    { network: 'public', key: keyOf(1), name: 'Owls' },
    { network: keyOf(9), key: keyOf(2), name: 'Crows' },
  ];
  expect([shelf.put(owls).ok, shelf.put(crows).ok]).toEqual([true, true]);
  expect([teamShelf(storage).of('public'), teamShelf(storage).of(keyOf(9))]).toEqual([owls, crows]);
  shelf.put({ ...owls, key: keyOf(3) });
  expect(shelf.of('public')?.key).toBe(keyOf(3));
  shelf.remove('public');
  expect([shelf.of('public'), shelf.of(keyOf(9))]).toEqual([null, crows]);
});

test('it keeps so many and no more', () => {
  const shelf = teamShelf(memory());
  for (let n = 0; n <= networksKnownMax; n++) expect(shelf.put({ network: keyOf(n), key: keyOf(n), name: '' }).ok).toBe(true);
  expect(shelf.put({ network: 'public', key: keyOf(1), name: '' })).toMatchObject({ ok: false, fault: { code: 'overloaded' } });
});

test('a browser that keeps nothing says so', () => {
  const full: TextStorage = {
    getItem: () => null,
    setItem: () => {
      throw new Error('full');
    },
  };
  expect(teamShelf(full).put({ network: 'public', key: keyOf(1), name: '' })).toMatchObject({ ok: false, fault: { code: 'storage' } });
});

test.each(['', 'null', '{', '[]', '{"v":2}', '{"v":1,"teams":[{"network":"x"}]}'])(
  'what is kept and not ours (%j) counts for nothing',
  (text) => {
    expect(teamShelf(memory(text)).of('public')).toBeNull();
  },
);
