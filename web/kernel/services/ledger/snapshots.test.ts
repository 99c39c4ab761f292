import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexOf } from '../../lib/bytes.ts';
import type { PeerId } from '../../lib/ids.ts';
import { failure, unwrap } from '../../lib/outcome.ts';
import { afterLifeMs } from '../../limits.ts';
import { memoryStorage } from '../../memory-storage.ts';
import type { Platform, Storage } from '../../platform.ts';
import type { EventBody, LedgerEvent } from '../../protocol/event.ts';
import { computed, manifestOf, someActor, someIdentity, someObject } from '../../testing/made-up-jobs.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { testDigest, testSigner } from '../../testing/test-crypto.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { Book } from './book.ts';
import type { JobLog } from './job-log.ts';
import { signEvent, signJob, type OpenedEvent } from './signed.ts';

const items = 24;
const crypto = { digest: testDigest, signer: testSigner('ann') };
const submitter = crypto.signer.identity;
const manifest = manifestOf(items, { submitter });
const nothing = { changed: () => undefined, dropped: () => undefined };

interface Profile {
  readonly platform: Platform;
  readonly storage: Storage;
  readonly reports: string[];
}

function profileOf(clock = new VirtualClock(manifest.createdAt)): Profile {
  const reports: string[] = [];
  const storage = memoryStorage(seededRandom('snapshots'));
  const platform = { ...crypto, clock, storage, report: (_: string, message: string) => reports.push(message) } as unknown as Platform;
  return { platform, storage, reports };
}

const bookOf = ({ platform }: Profile, whole = 3) => new Book(platform, 'public', nothing, { whole, last: 1 });
const job = async () => unwrap(await signJob(crypto, manifest));

async function signed(by: number, n: number, body: EventBody): Promise<OpenedEvent> {
  const identity = by === 0 ? submitter : someIdentity(by);
  const event: LedgerEvent = { v: 1, job: (await job()).id, actor: someActor(identity), n, identity, at: n, body };
  return unwrap(await signEvent(crypto, event));
}

/** After a reload: what the disk alone says. */
async function reloaded(profile: Profile): Promise<JobLog> {
  const book = bookOf(profile);
  unwrap(await book.load());
  return book.get((await job()).id)!;
}

const pictureOf = (log: JobLog) => ({
  state: log.fold.state,
  decided: log.fold.decidedSpans(0, 1_000),
  undecided: log.fold.undecided(0, items, 1_000),
  contributors: log.fold.contributors(100),
  surplus: log.fold.surplus,
  clock: log.clock.toRecord(),
  digest: log.digest,
  bytes: log.bytes,
  events: [...log.clock.actors()]
    .flatMap((actor) => [...log.eventsOf(actor as PeerId, 1, 50)].map(({ bytes, signature }) => `${hexOf(bytes)} ${hexOf(signature)}`))
    .toSorted(),
});

const keysOf = async ({ storage }: Profile) => unwrap(await storage.keys('events', ''));
const snapshotsIn = (keys: readonly string[]) => keys.filter((key) => key.includes('snapshot'));

const range = fc
  .tuple(fc.nat(items - 1), fc.integer({ min: 1, max: 9 }))
  .map(([a, length]): [number, number] => [a, Math.min(items, a + length)]);
type Step = { readonly by: number; readonly body: (known: readonly OpenedEvent[]) => EventBody };
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ by: fc.integer({ min: 1, max: 3 }), range, fails: fc.boolean(), result: fc.nat(50) })
      .map(({ by, range: of, fails, result }) => ({
        by,
        body: () => computed(of, { failed: fails ? [of] : [], result: someObject(result) }),
      })),
  },
  {
    weight: 2,
    arbitrary: fc.record({ range, of: fc.nat(40) }).map(({ range: taken, of }) => ({
      by: 0,
      body: (known: readonly OpenedEvent[]): EventBody =>
        known.length === 0
          ? { kind: 'unloadable', message: 'no' }
          : { kind: 'accepted', spans: [{ range: taken, event: known[of % known.length]!.id }] },
    })),
  },
  {
    weight: 1,
    arbitrary: range.map((retried) => ({
      by: 0,
      body: (known: readonly OpenedEvent[]): EventBody => ({
        kind: 'setting',
        version: known.length + 1,
        round: { round: 7, ranges: [retried] },
      }),
    })),
  },
);

async function eventsOf(steps: readonly Step[]): Promise<OpenedEvent[]> {
  const events: OpenedEvent[] = [];
  const numbers = new Map<number, number>();
  for (const { by, body } of steps) {
    const n = (numbers.get(by) ?? 0) + 1;
    numbers.set(by, n);
    events.push(await signed(by, n, body(events)));
  }
  return events;
}

describe('snapshots', () => {
  it('fold with what came after them to what all events fold to, wherever they were taken, and after a reload too', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
        fc.integer({ min: 1, max: 5 }),
        fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
        async (steps, packs, whole, order) => {
          const events = await eventsOf(steps);
          const [loose, packed] = [profileOf(), profileOf()];
          const all = unwrap(await bookOf(loose).keepOpenedJob(await job()));
          const looseBook = bookOf(loose);
          unwrap(await looseBook.load());
          unwrap(await looseBook.keepOpenedEvents(looseBook.get(all.id)!, events));
          const book = bookOf(packed, whole);
          const log = unwrap(await book.keepOpenedJob(await job()));
          const shuffled = events.map((event, i) => [order[i]!, event] as const).toSorted(([a], [b]) => a - b);
          for (const [i, [, event]] of shuffled.entries()) {
            unwrap(await book.keepOpenedEvents(log, [event]));
            if (packs[i]) await book.tidy();
          }
          const expected = pictureOf(looseBook.get(all.id)!);
          expect(pictureOf(log)).toEqual(expected);
          expect(pictureOf(await reloaded(packed))).toEqual(expected);
          expect(pictureOf(await reloaded(loose))).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  async function withEvents(profile: Profile, count: number): Promise<{ book: Book; log: JobLog }> {
    const book = bookOf(profile);
    const log = unwrap(await book.keepOpenedJob(await job()));
    for (let n = 1; n <= count; n++) unwrap(await book.keepOpenedEvents(log, [await signed(1, n, computed([n - 1, n]))]));
    return { book, log };
  }

  it('take the place of their events on disk, and what the submitter set stays by itself', async () => {
    const profile = profileOf();
    const { book, log } = await withEvents(profile, 7);
    unwrap(await book.keepOpenedEvents(log, [await signed(0, 1, { kind: 'setting', version: 1, priority: 3 })]));
    expect(await keysOf(profile)).toHaveLength(8);
    await book.tidy();
    const keys = await keysOf(profile);
    expect([keys.length, snapshotsIn(keys).length]).toEqual([4, 2]);
    expect((await reloaded(profile)).size).toBe(8);
  });

  it('leave everything as it was where the disk refuses them, and are taken later', async () => {
    const profile = profileOf();
    const { book, log } = await withEvents(profile, 7);
    const { write } = profile.storage;
    const refused: Storage['write'] = () => Promise.resolve(failure('storage', 'The disk is full.'));
    (profile.storage as { write: Storage['write'] }).write = refused;
    await book.tidy();
    expect([log.loose, (await keysOf(profile)).length]).toEqual([7, 7]);
    (profile.storage as { write: Storage['write'] }).write = write;
    await book.tidy();
    expect([log.loose, (await keysOf(profile)).length]).toEqual([1, 3]);
  });

  it('lose nothing in a crash, even on a disk that had not yet let go of what they hold', async () => {
    const profile = profileOf();
    const { book, log } = await withEvents(profile, 6);
    const before = unwrap(await profile.storage.entries('events', ''));
    await book.tidy();
    unwrap(await profile.storage.write(before.slice(2).map(([key, value]) => ({ table: 'events', key, value }))));
    expect(pictureOf(await reloaded(profile))).toEqual(pictureOf(log));
  });

  it('are left out, with a word, where the disk damaged them; the rest is there', async () => {
    const profile = profileOf();
    const { book } = await withEvents(profile, 7);
    await book.tidy();
    const [damaged] = snapshotsIn(await keysOf(profile));
    const bytes = (unwrap(await profile.storage.get('events', damaged!)) as Uint8Array).slice();
    bytes[40]! ^= 1;
    unwrap(await profile.storage.write([{ table: 'events', key: damaged!, value: bytes }]));
    expect((await reloaded(profile)).size).toBe(4);
    expect(profile.reports).toEqual([`What was kept at ${damaged} is damaged and was left out.`]);
  });

  it('go with a cancel, also one that comes while they are written; the tombstone stays', async () => {
    const profile = profileOf();
    const { book, log } = await withEvents(profile, 7);
    const { write } = profile.storage;
    let cancelled = false;
    (profile.storage as { write: Storage['write'] }).write = async (ops) => {
      if (!cancelled && ops.some(({ key }) => key.includes('snapshot'))) {
        cancelled = true;
        unwrap(await book.keepOpenedEvents(log, [await signed(0, 1, { kind: 'setting', version: 1, cancelled: true })]));
      }
      return write(ops);
    };
    await book.tidy();
    expect(await keysOf(profile)).toHaveLength(1);
    const again = await reloaded(profile);
    expect([again.size, again.fold.state]).toEqual([1, 'cancelled']);
  });

  it('go when the job is over', async () => {
    const clock = new VirtualClock(manifest.createdAt);
    const profile = profileOf(clock);
    const { book } = await withEvents(profile, 7);
    await book.tidy();
    await clock.advance(manifest.expires - manifest.createdAt + afterLifeMs + 1_000);
    await book.tidy();
    expect([book.size, await keysOf(profile)]).toEqual([0, []]);
  });
});
