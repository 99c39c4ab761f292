// Blocks: objects in coded segments, content-addressed, on several stores, read from any k of those who hold them.
import { atMost } from '../../lib/at-most.ts';
import { concatBytes, hexOf } from '../../lib/bytes.ts';
import type { IdentityId, ObjectId } from '../../lib/ids.ts';
import { FaultError, unwrap } from '../../lib/outcome.ts';
import { cutPieces } from '../../lib/pieces.ts';
import {
  afterLifeMs,
  buffersPerMessageMax,
  dataChunkBytes,
  jobLifeMsMax,
  segmentBytesMax,
  smallBytesMax,
  storeReadMsMax,
} from '../../limits.ts';
import type { Cancel } from '../../platform.ts';
import { abuseContract } from '../../protocol/contracts/abuse.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import { Denied, nothingDenied } from '../../protocol/deny-list.ts';
import type { ObjectManifest } from '../../protocol/object.ts';
import type { RequestOf } from '../../protocol/contract.ts';
import { resourcesContract } from '../../protocol/contracts/resources.ts';
import { WithBuffers, type Call, type ServiceFactory } from '../../service.ts';
import { Abroad } from './abroad.ts';
import { manifestsBytesMax, manifestsMax } from './eviction.ts';
import { Gather } from './gather.ts';
import { copiesOf, healthOf, heldOf, lossEstimate } from './health.ts';
import { Holdings } from './holdings.ts';
import { leafHash } from './leaf-hash.ts';
import { idOfManifest, parseManifest, parseRecoding, recodingMessage } from './manifest.ts';
import { Neighbours } from './neighbours.ts';
import { Placer, type Placed } from './placer.ts';
import { Put } from './put.ts';
import { PutClaims } from './put-claims.ts';
import { nMaxOf } from './redundancy.ts';
import { Repair } from './repair.ts';
import { Shares } from './shares.ts';
import { SliceStore, type NamedManifest } from './slice-store.ts';
import { spareBy } from './spare.ts';

export const putsMax = 64;
/** A put nobody has touched for this long is forgotten. */
export const putIdleMs = 600_000;
/** A result outlives its job by a day, and people's clocks differ. */
const expiryLeewayMs = 3 * afterLifeMs;
const usageEveryMs = 250;
const sweepEveryMs = 60_000;
const MiB = 1024 * 1024;
/** Of the room here one other identity fills at most so much; where the person does not donate, and only takes what is theirs, less. */
const shareOfOne = 3 / 4;
const shareOfOneUndonated = 1 / 4;
/** All that others store here unasked, where the person does not donate. */
const shareUnasked = 1 / 2;
/** Objects of denied jobs that are remembered, so that they do not come back. */
const unwantedMax = 10_000;
/** What stands for everybody who stores here unasked. */
const unasked = 'unasked';

type GivenSlice = RequestOf<typeof blocksContract, 'slices', 'insert'>;

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
  let isLoaded = false;
  let nextPut = 1;
  const puts = new Map<number, Put>();
  let denied = nothingDenied;
  /** What belonged to a denied job; the latest last. */
  const unwanted = new Set<ObjectId>();
  const claims = new PutClaims((hashes) => store.forget(hashes));

  const publishSoon = () => {
    if (!running) return;
    cancelUsage ??= clock.after(usageEveryMs, () => {
      cancelUsage = undefined;
      const { waiting, running: at, doneBytes, bytesPerSecond } = repair.status();
      context.publish('usage', {
        ...store.usage(),
        durable: ownStore !== null,
        repair: { waiting, running: at, doneBytes, bytesPerSecond },
        forgers: [...neighbours.lastForgers()],
      });
    });
  };
  const store = new SliceStore(platform, publishSoon);
  const sliceShares = new Shares<string>((hash) => store.has(hash), 2 * 1024);
  const manifestShares = new Shares<ObjectId>((id) => store.manifestBytes(id) !== undefined, manifestsBytesMax / manifestsMax);
  const neighbours = new Neighbours(context, clock, publishSoon);
  const own = { store: () => ownStore, keeps: () => donating && ownStore !== null };
  const placer = new Placer(platform, context, store, neighbours, own);
  const holdings = new Holdings(platform, context, store, () => neighbours.members(), own.store);
  const abroad = new Abroad(platform, context, neighbours);
  const gather = new Gather(platform, context, store, neighbours, holdings, abroad);
  const repair = new Repair(platform, context, store, neighbours, holdings, gather, placer, own.store, publishSoon, (identity, what) =>
    neighbours.forged(identity, what, clock.wall()),
  );
  store.spare = spareBy((id) => holdings.of(id), ownStore);

  const sweep = () => {
    cancelSweep = clock.after(sweepEveryMs, sweep);
    void store.sweep();
    sliceShares.prune();
    manifestShares.prune();
    for (const [number, put] of puts) if (clock.now() - put.touchedAt > putIdleMs) giveUp(number, put);
  };

  const giveUp = (number: number, put: Put) => {
    puts.delete(number);
    void put.giveUp();
  };

  /** What is held counts before it is announced; fewer slots than wanted are no failure, but somebody should see to it. */
  const watched = ({ id, size, k, given, copies, short }: Placed) => {
    for (const { to, index } of given) holdings.assume(to.peer, { object: id, k, index });
    repair.put(id, short);
    return { id, size, copies };
  };

  /** How an object is held now, by what is announced. */
  const healthNow = (id: ObjectId, k: number, n: number) => {
    const held = holdings.of(id);
    const health = healthOf(held, k);
    const others = heldOf(
      held.filter(({ identity, status }) => (identity !== self.identity || ownStore === null) && status === 'alive'),
      health.k,
    );
    return {
      copies: copiesOf(others, health.k),
      k: health.k,
      n: health.k === k ? n : nMaxOf(health.k),
      held: health.held,
      online: health.online,
      lossEstimate: lossEstimate(health.held, health.k),
    };
  };

  /** What denied people put goes; the own person keeps what is theirs. */
  const deny = async (list: Denied) => {
    denied = list;
    await loaded;
    const of = (id: ObjectId) => store.facts(id)?.by;
    const gone = [...store.objects()].filter((id) => of(id) !== self.identity && denied.whyIdentity(of(id) ?? '') !== undefined);
    await store.dropObjects(gone);
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

  /** Does `keep` for one whose share has room for it. */
  const within = async <K extends string>(
    shares: Shares<K>,
    who: string,
    key: K,
    bytes: number,
    bytesMax: number,
    keep: () => Promise<void>,
  ) => {
    if (!shares.hasRoom(who, bytes, bytesMax)) throw new FaultError('overloaded', 'This tab keeps as much of yours as it may.');
    // Charged first, so that many at once do not pass the limit together; what could not be kept is forgotten at the next count.
    shares.charge(who, key, bytes);
    await keep();
  };

  /** What is here already costs nothing. */
  const withManifest = ({ identity }: { readonly identity: IdentityId }, [id, bytes]: NamedManifest, keep: () => Promise<void>) =>
    identity === self.identity || store.facts(id) !== undefined
      ? keep()
      : within(manifestShares, identity, id, bytes.length, manifestsBytesMax * shareOfOne, keep);

  /** @throws FaultError where the operator of the site has denied whoever made it, or the job that it belongs to */
  const checkDenied = (by: IdentityId | undefined, id: ObjectId | undefined) => {
    const why = by === undefined ? undefined : denied.whyIdentity(by);
    if (why !== undefined) throw new FaultError('refused', why);
    if (id !== undefined && unwanted.has(id))
      throw new FaultError('refused', 'It belonged to a job that the operator of this site has denied.');
  };

  const keepShown = async (call: Call, bytes: Uint8Array, manifest: ObjectManifest) => {
    checkExpiry(manifest.expires);
    const id = await idOfManifest(digest, bytes);
    checkDenied(manifest.by, id);
    await withManifest(call, [id, bytes], async () => unwrap(await store.keepManifest(id, bytes, manifest)));
  };

  /** A slice that a member brings. Durable when it resolves. */
  const keepGiven = async ({ hash, expires, size, data, owner, object, manifest }: GivenSlice, call: Call): Promise<void> => {
    const parsed = manifest === undefined ? undefined : parseManifest(manifest);
    const asked = call.identity === self.identity || donating;
    if (ownStore === null) throw new FaultError('refused', 'This tab has no storage that lasts.');
    if (!asked && owner !== self.identity && parsed?.by !== self.identity)
      throw new FaultError('refused', 'This tab does not keep data for others.');
    checkExpiry(expires);
    const bytes = bufferOf(call, data, segmentBytesMax);
    if (bytes.length !== size || (await leafHash(digest, bytes)) !== hash)
      throw new FaultError('malformed', 'The bytes are not those that were named.');
    if (manifest !== undefined && !parsed?.segments.some((segment) => segment.hash === hash || namesSlice(segment.slices, hash)))
      throw new FaultError('malformed', 'The manifest does not name the slice.');
    if (parsed !== undefined) checkExpiry(parsed.expires);
    const named: NamedManifest | undefined = manifest === undefined ? undefined : [await idOfManifest(digest, manifest), manifest];
    checkDenied(parsed?.by ?? (object === undefined ? undefined : store.facts(object)?.by), named?.[0] ?? object);
    const known = object !== undefined && store.facts(object) !== undefined;
    const options = { expires, orphan: named === undefined && !known, ...(known ? { object } : {}) };
    const keep = async () => unwrap(await store.keep(hash, bytes, options, named));
    const keepNamed = () => (named === undefined ? keep() : withManifest(call, named, keep));
    const allowed = store.usage().allowedBytes;
    const keepShared = () =>
      within(sliceShares, call.identity, hash, size, allowed * (donating ? shareOfOne : shareOfOneUndonated), keepNamed);
    if (call.identity === self.identity || store.has(hash)) await keepNamed();
    else if (asked) await keepShared();
    else await within(sliceShares, unasked, hash, size, allowed * shareUnasked, keepShared);
  };

  /** Bytes of our own page, which may reuse or transfer them later. */
  const owned = (bytes: Uint8Array) => bytes.slice();

  return {
    contract: blocksContract,
    handlers: {
      objects: {
        insert: async ({ segments, coded = false, ...settings }, call) => {
          await loaded;
          checkExpiry(settings.expires);
          const runs = segments.map((index) => owned(bufferOf(call, index, segmentBytesMax)));
          if (runs.length === 1 && runs[0]!.length <= smallBytesMax)
            return watched(unwrap(await placer.placeSmall(runs[0]!, settings, coded ? platform.coder : undefined)));
          const put = new Put(placer, store, platform.coder, claims, settings, clock.now());
          const added = await Promise.all(runs.map((run) => put.add(run)));
          const refused = added.find(({ ok }) => !ok);
          if (refused !== undefined) await put.giveUp();
          return watched(unwrap(refused?.ok === false ? refused : await put.finish()));
        },
        get: async ({ id }) => {
          await loaded;
          return { manifest: await gather.manifest(id) };
        },
        lookup: async ({ id }) => {
          await loaded;
          const { k, n } = await gather.manifest(id);
          return { ...healthNow(id, k, n), heldHereBytes: store.bytesHere(id), repairing: repair.repairing(id) };
        },
        update: async ({ id }) => {
          await loaded;
          if (!own.keeps()) throw new FaultError('refused', 'This tab does not keep data for others.');
          const { segments, expires, by } = await gather.manifest(id);
          checkDenied(by, id);
          checkExpiry(expires);
          const mayTake = store.usage().allowedBytes * shareOfOne;
          for (const [index, { hash, size }] of segments.entries()) {
            if (store.keeps(hash)) continue;
            const bytes = await gather.segment(id, index);
            // Whoever made it is charged, as if it had been brought here.
            await within(sliceShares, by, hash, size, mayTake, async () => unwrap(await store.keep(hash, bytes, { expires, object: id })));
          }
          return {};
        },
        drop: async ({ ids }) => {
          await loaded;
          for (const id of ids) {
            unwanted.add(id);
            if (unwanted.size > unwantedMax) unwanted.delete(unwanted.keys().next().value!);
          }
          await store.dropObjects(ids);
          return {};
        },
        query: async ({ of, after, max, named }) => {
          await loaded;
          const objects = [];
          for (const id of store.objects(after)) {
            const facts = store.facts(id);
            if (facts === undefined || (named === true && facts.name === '')) continue;
            const { name, type, size, expires, by } = facts;
            const mine = by === self.identity;
            if (of !== 'all' && mine !== (of === 'mine')) continue;
            const heldHereBytes = store.bytesHere(id);
            if (of === 'kept' && heldHereBytes === 0 && size > 0) continue;
            if (objects.length === max) return { objects, next: objects.at(-1)!.id };
            const { copies: _, ...health } = healthNow(id, facts.k, facts.n);
            objects.push({ id, name, type, size, expires, by, mine, heldHereBytes, ...health, repairing: repair.repairing(id) });
          }
          return { objects, next: null };
        },
      },
      puts: {
        create: async (settings) => {
          await loaded;
          checkExpiry(settings.expires);
          if (puts.size >= putsMax) throw new FaultError('overloaded', 'Too many objects are being stored at once.');
          puts.set(nextPut, new Put(placer, store, platform.coder, claims, settings, clock.now()));
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
          return watched(placed);
        },
        delete: ({ put }) => {
          const ended = puts.get(put);
          if (ended !== undefined) giveUp(put, ended);
          return {};
        },
      },
      segments: {
        get: async ({ object, segment, pin, lent }) => {
          await loaded;
          const pieces = await gather.pieces(object, segment, pin ?? false);
          // Else a copy: the reader may hand it to a Worker for good.
          return new WithBuffers({ data: 0 }, lent === true ? pieces : [concatBytes(pieces)]);
        },
      },
      abroad: {
        lookup: async ({ id }) => {
          await loaded;
          return abroad.serve(async () => {
            await gather.manifestHere(id);
            const bytes = store.manifestBytes(id);
            if (bytes === undefined) throw new FaultError('not-found', 'This tab has no room for that manifest.');
            return new WithBuffers({ manifest: 0 }, [bytes]);
          });
        },
        get: async ({ object, segment }) => {
          await loaded;
          return abroad.serve(async () => new WithBuffers({ data: 0 }, [(await gather.segmentHere(object, segment)).slice()]));
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
        insert: async (slice, call) => {
          await loaded;
          await keepGiven(slice, call);
          return {};
        },
        create: async ({ slices }, call) => {
          await loaded;
          const kept = await Promise.all(slices.map((slice) => keepGiven(slice, call).then(() => true, isFault)));
          return { kept: slices.flatMap((_, i) => (kept[i] === true ? [i] : [])) };
        },
        get: async ({ hash }) => {
          await loaded;
          const pieces = await store.pieces(hash);
          if (pieces === undefined) throw new FaultError('not-found', 'This tab does not hold that.');
          return new WithBuffers({}, cutPieces(pieces, dataChunkBytes, buffersPerMessageMax));
        },
        query: async ({ hashes, kept }) => {
          await loaded;
          const held = hashes.flatMap((hash, i) => ((kept === true ? store.keeps(hash) : store.has(hash)) ? [i] : []));
          return { held, store: ownStore };
        },
      },
      recodings: {
        insert: async ({ recoding, signature }, call) => {
          await loaded;
          const bytes = bufferOf(call, recoding, segmentBytesMax);
          const parsed = parseRecoding(bytes);
          if (parsed === undefined || !(await platform.signer.verify(parsed.by, await recodingMessage(digest, bytes), signature)))
            throw new FaultError('malformed', 'That is no coding, or its author has not signed it.');
          await within(manifestShares, call.identity, parsed.object, bytes.length, manifestsBytesMax * shareOfOne, async () =>
            unwrap(await store.keepRecoding({ bytes, signature }, parsed)),
          );
          return {};
        },
        get: async ({ object, k }) => {
          await loaded;
          const signed = store.signedRecoding(object, k);
          if (signed === undefined) throw new FaultError('not-found', 'This tab does not know that coding.');
          return new WithBuffers({ recoding: 0, signature: signed.signature }, [signed.bytes]);
        },
      },
      holdings: {
        query: async (request) => {
          await loaded;
          return holdings.answer(request);
        },
        update: (request, call) => {
          holdings.told(call.from, request);
          return {};
        },
      },
    },

    async start() {
      if (running) return;
      running = true;
      loaded = store.load();
      cancels = [
        context.watch(resourcesContract, 'state', (state) => {
          donating = state.donating;
          store.limit(state.limits.storageMiB * MiB);
        }),
        context.watch(abuseContract, 'denied', ({ entries }) => void deny(new Denied(entries))),
        abroad.watch(),
        neighbours.watch(() => {
          if (!isLoaded) return;
          holdings.viewed();
          repair.viewed();
        }),
      ];
      cancelSweep = clock.after(sweepEveryMs, sweep);
      const begin = () => {
        if (!running || isLoaded) return;
        isLoaded = true;
        holdings.start();
        repair.start();
        publishSoon();
      };
      const begun = loaded.then(begin);
      begun.catch((error: unknown) => platform.report('bug', 'The store could not be read.', error));
      await atMost(clock, storeReadMsMax, begun);
    },

    stop() {
      running = false;
      isLoaded = false;
      repair.stop();
      holdings.stop();
      for (const cancel of cancels) cancel();
      cancels = [];
      cancelUsage?.();
      cancelSweep?.();
      cancelUsage = cancelSweep = undefined;
      puts.clear();
    },
  };
};

/** What the world did wrong is an answer; a bug of ours is not. */
function isFault(error: unknown): false {
  if (error instanceof FaultError) return false;
  throw error;
}

/** Whether `hash` is among 32-byte hashes that stand one after the other. */
function namesSlice(hashes: Uint8Array, hash: string): boolean {
  for (let at = 0; at < hashes.length; at += 32) if (hexOf(hashes.subarray(at, at + 32)) === hash) return true;
  return false;
}
