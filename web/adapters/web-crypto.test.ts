import 'fake-indexeddb/auto';
import { expect, test, vi } from 'vitest';
import { bytesOfHex, hexOf } from '../kernel/lib/bytes.ts';
import type { Outcome } from '../kernel/lib/outcome.ts';
import { seededRandom } from '../kernel/testing/seeded-random.ts';
import { identityIdOf, identityOfSeed, openIdentity, webDigest } from './web-crypto.ts';

const value = <T>(outcome: Outcome<T>): T => {
  if (outcome.ok) return outcome.value;
  throw new Error(outcome.fault.message);
};
const text = (words: string) => new TextEncoder().encode(words);
/** RFC 8032, section 7.1, test 1. */
const rfcSeed = bytesOfHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
const rfcPublic = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a';
const rfcSignatureOfNothing =
  'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b';
const seeded = (seed: Uint8Array<ArrayBuffer>) => ({ bytes: () => seed, fraction: () => 0 });

test('sha256 of a view is that of its bytes', async () => {
  expect(hexOf(await webDigest.sha256(text('xabcx').subarray(1, 4)))).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('sha256 is of what the bytes were when it was asked for, whatever is written there then', async () => {
  const room = new Uint8Array(256 * 1024).fill(1);
  const asked = webDigest.sha256(room);
  room.fill(2);
  expect(hexOf(await asked)).toBe(hexOf(await webDigest.sha256(new Uint8Array(room.length).fill(1))));
});

test('a seed gives the keys and signatures of RFC 8032', async () => {
  const { signer } = value(await openIdentity({ name: 'rfc', random: seeded(rfcSeed) }));
  expect(signer.identity).toBe(rfcPublic);
  expect(hexOf(await signer.sign(new Uint8Array(0)))).toBe(rfcSignatureOfNothing);
});

test('a signature verifies for its identity and bytes only, and rubbish verifies as false', async () => {
  const { signer } = value(await openIdentity({ name: 'verify', random: seededRandom('verify') }));
  const other = value(await openIdentity({ name: 'verify other', random: seededRandom('other') })).signer;
  const signature = await signer.sign(text('job'));
  const bent = signature.slice();
  bent[3]! ^= 1;
  expect([
    await other.verify(signer.identity, text('job'), signature),
    await other.verify(signer.identity, text('jab'), signature),
    await other.verify(other.identity, text('job'), signature),
    await other.verify(signer.identity, text('job'), bent),
    await other.verify(signer.identity, text('job'), new Uint8Array(3)),
    await other.verify('f'.repeat(64) as typeof signer.identity, text('job'), signature),
  ]).toEqual([true, false, false, false, false, false]);
});

test('two tabs that open at once have one identity, and so has the next visit', async () => {
  const opened = await Promise.all(['a', 'b', 'c'].map((seed) => openIdentity({ name: 'race', random: seededRandom(seed) })));
  const later = await openIdentity({ name: 'race', random: seededRandom('later') });
  const identities = new Set([...opened, later].map((outcome) => value(outcome).signer.identity));
  expect(identities.size).toBe(1);
  const seeds = await Promise.all([...opened, later].map((outcome) => value(outcome).exportSeed()));
  expect(new Set(seeds.map((seed) => hexOf(value(seed)))).size).toBe(1);
});

test('a browser that cannot open what it keeps for a moment makes nobody somebody else', async () => {
  const before = value(await openIdentity({ name: 'moment', random: seededRandom('before') }));
  const failing = (error: string) =>
    vi.spyOn(indexedDB, 'open').mockImplementationOnce(() => {
      throw new DOMException('Internal error opening backing store for indexedDB.open.', error);
    });
  const passing = failing('UnknownError');
  const after = value(await openIdentity({ name: 'moment', random: seededRandom('after') }));
  expect([after.signer.identity, after.kept]).toEqual([before.signer.identity, true]);
  passing.mockRestore();
  const refusing = failing('SecurityError');
  expect(value(await openIdentity({ name: 'moment', random: seededRandom('private') })).kept).toBe(false);
  refusing.mockRestore();
});

test('an exported secret makes the same identity elsewhere after a reload', async () => {
  const here = value(await openIdentity({ name: 'here', random: seededRandom('here') }));
  const there = value(await openIdentity({ name: 'there', random: seededRandom('there') }));
  expect(value(await there.importSeed(value(await here.exportSeed())))).toBe(here.signer.identity);
  expect(there.signer.identity).not.toBe(here.signer.identity);
  const reloaded = value(await openIdentity({ name: 'there', random: seededRandom('x') }));
  expect(reloaded.signer.identity).toBe(here.signer.identity);
  expect(await reloaded.importSeed(new Uint8Array(31))).toMatchObject({ ok: false, fault: { code: 'malformed' } });
});

test('a secret that somebody brings is an identity of which nothing is kept', async () => {
  expect(value(await identityIdOf(rfcSeed))).toBe(rfcPublic);
  const brought = value(await identityOfSeed(rfcSeed.slice()));
  expect([brought.kept, brought.signer.identity, hexOf(value(await brought.exportSeed()))]).toEqual([false, rfcPublic, hexOf(rfcSeed)]);
  expect(value(await brought.others())).toEqual([]);
  expect(await brought.importSeed(rfcSeed)).toMatchObject({ ok: false, fault: { code: 'storage' } });
});

test('who one was before stays, can be gone back to, and can be removed; who one is cannot', async () => {
  const open = async () => value(await openIdentity({ name: 'two', random: seededRandom('first') }));
  const first = await open();
  await first.importSeed(rfcSeed);
  const second = await open();
  expect(second.signer.identity).toBe(rfcPublic);
  expect(value(await second.others())).toEqual([first.signer.identity]);
  // A tab that was not loaded again: what the profile has become is in use, whatever this tab still is.
  expect(await first.remove(second.signer.identity)).toMatchObject({ ok: false, fault: { code: 'refused' } });
  expect(value(await second.become(first.signer.identity))).toBe(first.signer.identity);
  const again = await open();
  expect(again.signer.identity).toBe(first.signer.identity);
  expect((await again.remove(second.signer.identity)).ok).toBe(true);
  expect(value(await again.others())).toEqual([]);
  expect(await again.become(second.signer.identity)).toMatchObject({ ok: false, fault: { code: 'not-found' } });
  expect(hexOf(value(await again.exportSeed()))).toBe(hexOf(value(await first.exportSeed())));
});
