import { expect, test } from 'vitest';
import { bytesOfHex } from '../kernel/lib/bytes.ts';
import { networkIdOf } from '../kernel/lib/network-key.ts';
import { networkShelf, networksKnownMax, type TextStorage } from './network-shelf.ts';
import { webDigest } from './web-crypto.ts';

const { sha256 } = webDigest;
const keyOf = (n: number) => n.toString(16).padStart(64, '0');

function memory(): TextStorage & { readonly items: Map<string, string> } {
  const items = new Map<string, string>();
  return { items, getItem: (key) => items.get(key) ?? null, setItem: (key, value) => void items.set(key, value) };
}

test('a profile that joined nothing is in the public network', () => {
  const shelf = networkShelf(sha256, memory());
  expect(shelf.current()).toBeNull();
  expect(shelf.networks()).toEqual([]);
});

test('a network is kept under the name chosen for it, and every tab finds the profile there', async () => {
  const storage = memory();
  const shelf = networkShelf(sha256, storage);
  const network = await shelf.look({ key: keyOf(1), name: 'a class' });
  expect(network.network).toBe(await networkIdOf(sha256, bytesOfHex(keyOf(1))));
  expect(shelf.moveTo({ ...network, name: 'my class' }).ok).toBe(true);
  const elsewhere = networkShelf(sha256, storage);
  expect(elsewhere.current()).toEqual({ ...network, name: 'my class' });
  // An invite does not rename what is known.
  expect(await elsewhere.look({ key: keyOf(1), name: 'another name' })).toEqual({ ...network, name: 'my class' });
});

test('it goes back to the public network, keeps the key until it is forgotten, and forgets no network it is in', async () => {
  const shelf = networkShelf(sha256, memory());
  const network = await shelf.look({ key: keyOf(1), name: 'lab' });
  shelf.moveTo(network);
  expect(shelf.forget(network.network)).toMatchObject({ ok: false, fault: { code: 'refused' } });
  shelf.moveTo(null);
  expect([shelf.current(), shelf.networks()]).toEqual([null, [network]]);
  expect(shelf.forget(network.network).ok).toBe(true);
  expect(shelf.networks()).toEqual([]);
});

test('it knows so many networks and no more; those it knows it may still move to', async () => {
  const shelf = networkShelf(sha256, memory());
  for (let n = 0; n < networksKnownMax; n++) expect(shelf.moveTo(await shelf.look({ key: keyOf(n), name: `${n}` })).ok).toBe(true);
  expect(shelf.moveTo(await shelf.look({ key: keyOf(99), name: 'one more' }))).toMatchObject({ ok: false, fault: { code: 'overloaded' } });
  expect(shelf.moveTo(await shelf.look({ key: keyOf(3), name: '' })).ok).toBe(true);
  expect(shelf.current()?.name).toBe('3');
});

test.each(['', 'null', '{', '[]', '{"v":2}', '{"v":1,"current":"x","networks":[]}'])(
  'what is kept and not ours (%j) counts for nothing',
  (text) => {
    const storage = memory();
    storage.items.set('lull-networks', text);
    expect(networkShelf(sha256, storage).current()).toBeNull();
  },
);

test('where the browser keeps nothing, that is said instead of thrown', async () => {
  const refuses: TextStorage = {
    getItem: () => {
      throw new Error('SecurityError');
    },
    setItem: () => {
      throw new Error('SecurityError');
    },
  };
  for (const shelf of [networkShelf(sha256, refuses), networkShelf(sha256, undefined)]) {
    expect(shelf.current()).toBeNull();
    expect(shelf.moveTo(await shelf.look({ key: keyOf(1), name: '' }))).toMatchObject({ ok: false, fault: { code: 'storage' } });
  }
});
