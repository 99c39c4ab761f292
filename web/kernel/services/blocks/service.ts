// Blocks: objects in segments, content-addressed, on several stores, fetched from whoever has them.
import type { ObjectId } from '../../lib/ids.ts';
import { FaultError, unwrap } from '../../lib/outcome.ts';
import { afterLifeMs, jobLifeMsMax, segmentBytesMax } from '../../limits.ts';
import type { Cancel } from '../../platform.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import { resourcesContract } from '../../protocol/contracts/resources.ts';
import { WithBuffers, type Call, type ServiceFactory } from '../../service.ts';
import { Gather } from './gather.ts';
import { copiesOf, lossEstimate } from './health.ts';
import { leafHash } from './leaf-hash.ts';
import { idOfManifest, parseManifest } from './manifest.ts';
import { Neighbours } from './neighbours.ts';
import { Placer, type PutSettings } from './placer.ts';
import { Put } from './put.ts';
import { Shares } from './shares.ts';
import { manifestsBytesMax, manifestsMax, SliceStore } from './slice-store.ts';
import { settleMs, TopUp } from './top-up.ts';

export const putsMax = 64;
/** A put nobody has touched for this long is forgotten. */
export const putIdleMs = 600_000;
/** A result outlives its job by a day, and people's clocks differ. */
const expiryLeewayMs = 3 * afterLifeMs;
const usageEveryMs = 250;
const sweepEveryMs = 60_000;
const MiB = 1024 * 1024;
const notBuilt = (): never => {
  throw new FaultError('not-built', 'Slices of several codings are not built yet.');
};
/** Of the room here one other identity fills at most so much; where the person does not donate, and only takes what is theirs, less. */
const shareOfOne = 3 / 4;
const shareOfOneUndonated = 1 / 4;

export const blocksService: ServiceFactory<typeof blocksContract> = (context) => {
  const { platform, self } = context;
  const { clock, digest, storage } = platform;
  /** Others can find a store by name only where it outlives the page and this tab speaks for it. */
  const ownStore = storage.durable && platform.profileRole !== 'second' ? storage.store : null;

  let running = false;
  let cancels: Cancel[] = [];
  let cancelUsage: Cancel | undefined;
  let cancelSweep: Cancel | undefined;
  let donating = false;
  let loaded: Promise<void> = Promise.resolve();
  let nextPut = 1;
  const puts = new Map<number, Put>();

  const publishSoon = () => {
    if (!running) return;
    cancelUsage ??= clock.after(usageEveryMs, () => {
      cancelUsage = undefined;
      context.publish('usage', {
        ...store.usage(),
        durable: ownStore !== null,
        repair: { waiting: 0, running: 0, doneBytes: 0, bytesPerSecond: 0 },
        forgers: [],
      });
    });
  };
  const store = new SliceStore(platform, publishSoon);
  const sliceShares = new Shares<string>((hash) => store.has(hash), 2 * 1024);
  const manifestShares = new Shares<ObjectId>((id) => store.manifestBytes(id) !== undefined, manifestsBytesMax / manifestsMax);
  const neighbours = new Neighbours(context);
  const placer = new Placer(platform, context, store, neighbours, () => ownStore);
  const gather = new Gather(platform, context, store, neighbours);
  const topUp = new TopUp(platform, context, store, neighbours, gather, placer, () => ownStore);

  const sweep = () => {
    cancelSweep = clock.after(sweepEveryMs, sweep);
    void store.sweep();
    sliceShares.prune();
    manifestShares.prune();
    for (const [number, put] of puts) if (clock.now() - put.touchedAt > putIdleMs) puts.delete(number);
  };

  /** Fewer copies than wanted is no failure, but somebody should see to it. */
  const watched = <T extends { readonly copies: number }>(placed: T, settings: PutSettings): T => {
    if (placed.copies < placer.plan('', settings).wanted) topUp.soon(settleMs);
    return placed;
  };

  const bufferOf = (call: Call, index: number, bytesMax: number): Uint8Array => {
    const bytes = call.buffers[index];
    if (bytes === undefined) throw new FaultError('malformed', 'The message points at a buffer it does not have.');
    if (bytes.length > bytesMax) throw new FaultError('too-large', `A segment has at most ${bytesMax} bytes.`);
    return bytes;
  };

  const putOf = (number: number): Put => {
    const put = puts.get(number);
    if (put === undefined) throw new FaultError('not-found', 'That put has ended.');
    put.touchedAt = clock.now();
    return put;
  };

  const checkExpiry = (expires: number) => {
    const wall = clock.wall();
    if (expires + afterLifeMs <= wall) throw new FaultError('refused', 'What is to be stored has already expired.');
    if (expires > wall + jobLifeMsMax + expiryLeewayMs) throw new FaultError('refused', 'What is to be stored would be kept for too long.');
  };

  /** Does `keep` for a member whose share has room for it. What is here already costs nothing. */
  const within = async <K extends string>(
    shares: Shares<K>,
    call: Call,
    key: K,
    bytes: number,
    bytesMax: number,
    known: boolean,
    keep: () => Promise<void>,
  ) => {
    const counts = call.identity !== self.identity && !known;
    if (counts && !shares.hasRoom(call.identity, bytes, bytesMax))
      throw new FaultError('overloaded', 'This tab keeps as much of yours as it may.');
    // Charged first, so that many at once do not pass the limit together; what could not be kept is forgotten at the next count.
    if (counts) shares.charge(call.identity, key, bytes);
    await keep();
  };

  const keepShown = async (call: Call, bytes: Uint8Array, manifest: ObjectManifest) => {
    checkExpiry(manifest.expires);
    const id = await idOfManifest(digest, bytes);
    const known = store.manifestBytes(id) !== undefined;
    await within(manifestShares, call, id, bytes.length, manifestsBytesMax * shareOfOne, known, async () =>
      unwrap(await store.keepManifest(id, bytes, manifest)),
    );
  };

  /** Bytes of our own page, which may reuse or transfer them later. */
  const owned = (bytes: Uint8Array) => bytes.slice();

  return {
    contract: blocksContract,
    handlers: {
      objects: {
        insert: async ({ segments, ...settings }, call) => {
          await loaded;
          checkExpiry(settings.expires);
          const runs = segments.map((index) => owned(bufferOf(call, index, segmentBytesMax)));
          if (runs.length === 1) return watched(unwrap(await placer.placeSmall(runs[0]!, settings)), settings);
          const put = new Put(placer, store, settings, clock.now());
          for (const run of runs) unwrap(await put.add(run));
          return watched(unwrap(await put.finish()), settings);
        },
        get: async ({ id }) => {
          await loaded;
          return { manifest: await gather.manifest(id) };
        },
        lookup: async ({ id }) => {
          await loaded;
          const { k, n } = await gather.manifest(id);
          const others = (await gather.copies(id)).size;
          const held = others + (ownStore === null ? 0 : 1);
          return { copies: copiesOf(others, k), k, n, held, online: held, lossEstimate: lossEstimate(held, k) };
        },
        query: async ({ of, after, max, named }) => {
          await loaded;
          const known = store
            .objects()
            .toSorted()
            .filter((id) => after === undefined || id > after);
          const objects = [];
          let last: ObjectId | null = null;
          for (const id of known) {
            if (objects.length === max) return { objects, next: last };
            last = id;
            const manifest = store.manifest(id);
            if (manifest === undefined || (named === true && manifest.name === '')) continue;
            const { name, type, size, expires, by, k, n, segments } = manifest;
            const mine = by === self.identity;
            const heldHereBytes = segments.reduce((sum, segment) => sum + (store.has(segment.hash) ? segment.size : 0), 0);
            if ((of === 'mine' && !mine) || (of === 'kept' && (mine || heldHereBytes === 0))) continue;
            const online = (await gather.copies(id)).size + 1;
            const health = { held: online, online, lossEstimate: lossEstimate(online, k), repairing: false };
            objects.push({ id, name, type, size, expires, by, mine, k, n, heldHereBytes, ...health });
          }
          return { objects, next: null };
        },
      },
      puts: {
        create: async (settings) => {
          await loaded;
          checkExpiry(settings.expires);
          if (puts.size >= putsMax) throw new FaultError('overloaded', 'Too many objects are being stored at once.');
          puts.set(nextPut, new Put(placer, store, settings, clock.now()));
          return { put: nextPut++ };
        },
        insert: async ({ put, data }, call) => {
          unwrap(await putOf(put).add(owned(bufferOf(call, data, segmentBytesMax))));
          return {};
        },
        submit: async ({ put }) => {
          const ended = putOf(put);
          const placed = unwrap(await ended.finish());
          puts.delete(put);
          return watched(placed, ended.settings);
        },
        delete: ({ put }) => {
          puts.delete(put);
          return {};
        },
      },
      segments: {
        get: async ({ object, segment, pin }) => {
          await loaded;
          // A copy: the reader may hand it to a Worker for good.
          const bytes = (await gather.segment(object, segment, pin ?? false)).slice();
          return new WithBuffers({ data: 0 }, [bytes]);
        },
      },
      manifests: {
        insert: async ({ manifest }, call) => {
          await loaded;
          const bytes = bufferOf(call, manifest, segmentBytesMax);
          const parsed = parseManifest(bytes);
          if (parsed === undefined) throw new FaultError('malformed', 'That is no manifest.');
          await keepShown(call, bytes, parsed);
          return {};
        },
        get: async ({ id }) => {
          await loaded;
          const bytes = store.manifestBytes(id);
          if (bytes === undefined) throw new FaultError('not-found', 'This tab does not know that object.');
          return new WithBuffers({ manifest: 0 }, [bytes]);
        },
      },
      slices: {
        insert: async ({ hash, expires, size, data, owner, manifest }, call) => {
          await loaded;
          const wanted = owner === self.identity || call.identity === self.identity;
          if (ownStore === null) throw new FaultError('refused', 'This tab has no storage that lasts.');
          if (!donating && !wanted) throw new FaultError('refused', 'This tab does not keep data for others.');
          checkExpiry(expires);
          const bytes = bufferOf(call, data, segmentBytesMax);
          const parsed = manifest === undefined ? undefined : parseManifest(manifest);
          if (bytes.length !== size || (await leafHash(digest, bytes)) !== hash)
            throw new FaultError('malformed', 'The bytes are not those that were named.');
          if (manifest !== undefined && !parsed?.segments.some((segment) => segment.hash === hash))
            throw new FaultError('malformed', 'The manifest does not name the slice.');
          if (parsed !== undefined) checkExpiry(parsed.expires);
          const named = manifest === undefined ? undefined : ([await idOfManifest(digest, manifest), manifest] as const);
          const keep = async () => unwrap(await store.keep(hash, bytes, { expires, orphan: named === undefined }, named));
          const sliceBytesMax = store.usage().allowedBytes * (donating ? shareOfOne : shareOfOneUndonated);
          const keepNamed = () =>
            named === undefined
              ? keep()
              : within(
                  manifestShares,
                  call,
                  named[0],
                  named[1].length,
                  manifestsBytesMax * shareOfOne,
                  store.manifestBytes(named[0]) !== undefined,
                  keep,
                );
          await within(sliceShares, call, hash, bytes.length, sliceBytesMax, store.has(hash), keepNamed);
          return {};
        },
        get: async ({ hash }) => {
          await loaded;
          const bytes = await store.get(hash);
          if (bytes === undefined) throw new FaultError('not-found', 'This tab does not hold that.');
          return new WithBuffers({ data: 0 }, [bytes]);
        },
        query: async ({ hashes, kept }) => {
          await loaded;
          const held = hashes.flatMap((hash, i) => ((kept === true ? store.keeps(hash) : store.has(hash)) ? [i] : []));
          return { held, store: ownStore };
        },
      },
      recodings: {
        insert: () => notBuilt(),
        get: () => notBuilt(),
      },
      holdings: {
        query: () => notBuilt(),
        update: () => notBuilt(),
      },
    },

    async start() {
      if (running) return;
      running = true;
      topUp.start();
      loaded = store.load();
      cancels = [
        context.watch(resourcesContract, 'state', (state) => {
          donating = state.donating;
          store.limit(state.limits.storageMiB * MiB);
        }),
        neighbours.watch(() => topUp.viewed()),
      ];
      cancelSweep = clock.after(sweepEveryMs, sweep);
      await loaded;
      publishSoon();
    },

    stop() {
      running = false;
      topUp.stop();
      for (const cancel of cancels) cancel();
      cancels = [];
      cancelUsage?.();
      cancelSweep?.();
      cancelUsage = cancelSweep = undefined;
      puts.clear();
    },
  };
};
