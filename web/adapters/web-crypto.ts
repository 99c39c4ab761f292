// SHA-256 and Ed25519 by WebCrypto, and the identity of this browser profile.
//
// The identity is a 32-byte seed. Its working key is imported once as a CryptoKey that cannot be read out and is kept in IndexedDB as
// such, so that nothing in everyday work touches the seed. The seed itself lies in a table of its own and is read only to be exported:
// an identity that could not be moved to another browser would be lost with the profile.
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import { bytesOfHex, concatBytes, hexOf } from '../kernel/lib/bytes.ts';
import { identityId, type IdentityId } from '../kernel/lib/ids.ts';
import { failure, success, type Outcome } from '../kernel/lib/outcome.ts';
import type { Digest, Random, Signer } from '../kernel/platform.ts';
import { isRefusal } from './idb-storage.ts';

/** subtle hashes off the main thread and takes views as they are. */
export const webDigest: Digest = {
  sha256: async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', viewOf(bytes))),
};

export const seedBytes = 32;
const algorithm = { name: 'Ed25519' } as const;
/** What the browser could not open for a moment is tried again; the page waits for it. */
const openTriesMax = 4;
const openAgainMs = 250;
/** RFC 8410: what precedes the seed in a PKCS #8 private key. */
const pkcs8Head = bytesOfHex('302e020100300506032b657004220420');

/** What is kept of one identity. */
interface Kept {
  readonly identity: string;
  readonly working: CryptoKey;
}

interface Schema extends DBSchema {
  keys: { key: 'current'; value: Kept };
  seeds: { key: string; value: Uint8Array<ArrayBuffer> };
}

export interface Identity {
  readonly signer: Signer;
  /** False where the browser keeps no data: the identity ends with the page. */
  readonly kept: boolean;
  /** The secret itself: for the person's export only. */
  exportSeed(): Promise<Outcome<Uint8Array>>;
  /** Becomes another identity; takes effect when the tabs of the profile are loaded again. The one before stays among `others`. */
  importSeed(seed: Uint8Array): Promise<Outcome<IdentityId>>;
  /** Whose secrets are kept here too. */
  others(): Promise<Outcome<readonly IdentityId[]>>;
  /** Becomes one of `others`, as `importSeed` does. */
  become(other: IdentityId): Promise<Outcome<IdentityId>>;
  /** Deletes the secret of one of `others`; 'refused' for the one that is in use. */
  remove(other: IdentityId): Promise<Outcome<void>>;
}

const noEd25519 = () =>
  failure('refused', 'This browser cannot make the keys Lull needs (Ed25519): use a current Chromium, Firefox or Safari, on https.');

export interface IdentityOptions {
  readonly random: Random;
  readonly name?: string;
}

/**
 * The profile's identity: the one kept, or a new one on the first visit. Two tabs that open at once get the same one, because whoever
 * comes second to the transaction finds it there. Fault 'refused' where the browser has no Ed25519.
 */
export async function openIdentity({ random, name = 'lull-identity' }: IdentityOptions): Promise<Outcome<Identity>> {
  const seed = random.bytes(seedBytes);
  let fresh: Kept;
  try {
    fresh = await keysOf(seed);
  } catch {
    return noEd25519();
  }
  for (let tries = 1; ; tries++) {
    let database: IDBPDatabase<Schema> | undefined;
    try {
      database = await openDB<Schema>(name, 1, {
        upgrade: (made) => {
          made.createObjectStore('keys');
          made.createObjectStore('seeds');
        },
      });
      const kept = await keep(database, fresh, seed, false);
      return success(identityOf(kept, database, undefined));
    } catch (error) {
      database?.close();
      // As somebody else this profile would hand over jobs that it could not look after once the page is loaded again.
      if (tries >= openTriesMax || isRefusal(error)) return success(identityOf(fresh, undefined, seed));
      await new Promise<void>((resolve) => void setTimeout(resolve, openAgainMs * 2 ** (tries - 1)));
    }
  }
}

/** The identity of a secret that somebody brought, or that is to end with the page: nothing of it is kept. */
export async function identityOfSeed(seed: Uint8Array<ArrayBuffer>): Promise<Outcome<Identity>> {
  try {
    return success(identityOf(await keysOf(seed), undefined, seed));
  } catch {
    return noEd25519();
  }
}

/** Whose secret that is; nothing is kept. Fault 'refused' where the browser has no Ed25519. */
export async function identityIdOf(seed: Uint8Array): Promise<Outcome<IdentityId>> {
  const identity = await identityOfSeed(new Uint8Array(seed));
  return identity.ok ? success(identity.value.signer.identity) : identity;
}

/** Writes `fresh` unless one is there already (or `replace`); answers with the one that is there then. */
async function keep(database: IDBPDatabase<Schema>, fresh: Kept, seed: Uint8Array<ArrayBuffer>, replace: boolean): Promise<Kept> {
  const transaction = database.transaction(['keys', 'seeds'], 'readwrite', { durability: 'strict' });
  const found = await transaction.objectStore('keys').get('current');
  if (found === undefined || replace) {
    await transaction.objectStore('seeds').put(seed, fresh.identity);
    await transaction.objectStore('keys').put(fresh, 'current');
  }
  await transaction.done;
  return found === undefined || replace ? fresh : found;
}

function identityOf(kept: Kept, database: IDBPDatabase<Schema> | undefined, seedInMemory: Uint8Array<ArrayBuffer> | undefined): Identity {
  const noneKept = failure('storage', 'This browser keeps no data, so no identity can be brought in.');
  const importSeed = async (given: Uint8Array): Promise<Outcome<IdentityId>> => {
    if (given.length !== seedBytes) return failure('malformed', `A secret has ${seedBytes} bytes; this one has ${given.length}.`);
    if (database === undefined) return noneKept;
    try {
      const seed = new Uint8Array(given);
      const { identity } = await keep(database, await keysOf(seed), seed, true);
      return success(identityId(identity));
    } catch {
      return failure('storage', 'The identity could not be kept.');
    }
  };
  return {
    signer: webSigner(identityId(kept.identity), kept.working),
    kept: database !== undefined,
    exportSeed: async () => {
      try {
        const seed = seedInMemory ?? (await database?.get('seeds', kept.identity));
        return seed === undefined ? failure('not-found', 'The secret of this identity is not here.') : success(seed.slice());
      } catch {
        return failure('storage', 'The secret could not be read.');
      }
    },
    importSeed,
    others: async () => {
      try {
        const identities = (await database?.getAllKeys('seeds')) ?? [];
        return success(identities.filter((identity) => identity !== kept.identity).map(identityId));
      } catch {
        return failure('storage', 'What other identities are here could not be read.');
      }
    },
    become: async (other) => {
      try {
        const seed = await database?.get('seeds', other);
        return seed === undefined ? failure('not-found', 'The secret of that identity is not here.') : await importSeed(seed);
      } catch {
        return failure('storage', 'The secret could not be read.');
      }
    },
    remove: async (other) => {
      if (database === undefined) return noneKept;
      try {
        const transaction = database.transaction(['keys', 'seeds'], 'readwrite', { durability: 'strict' });
        // Another tab may have become it meanwhile.
        const current = await transaction.objectStore('keys').get('current');
        const inUse = other === kept.identity || other === current?.identity;
        if (!inUse) await transaction.objectStore('seeds').delete(other);
        await transaction.done;
        return inUse ? failure('refused', 'That identity is in use.') : success(undefined);
      } catch {
        return failure('storage', 'The secret could not be deleted.');
      }
    },
  };
}

/** The public key comes out of an exportable twin of the working key, which is dropped at once. */
async function keysOf(seed: Uint8Array<ArrayBuffer>): Promise<Kept> {
  const pkcs8 = concatBytes([pkcs8Head, seed]);
  const [working, twin] = await Promise.all([
    crypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
    crypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
  ]);
  const { x } = await crypto.subtle.exportKey('jwk', twin);
  if (x === undefined) throw new Error('no public key');
  const binary = atob(x.replaceAll('-', '+').replaceAll('_', '/'));
  return { identity: hexOf(Uint8Array.from(binary, (letter) => letter.charCodeAt(0))), working };
}

const verifyingKeysMax = 512;

export function webSigner(identity: IdentityId, working: CryptoKey): Signer {
  /** Importing a public key costs more than a verification; the least recently used goes first. */
  const verifying = new Map<IdentityId, Promise<CryptoKey>>();
  const keyOf = (of: IdentityId) => {
    const key = verifying.get(of) ?? crypto.subtle.importKey('raw', bytesOfHex(of), algorithm, false, ['verify']);
    verifying.delete(of);
    verifying.set(of, key);
    if (verifying.size > verifyingKeysMax) verifying.delete(verifying.keys().next().value!);
    return key;
  };
  return {
    identity,
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign(algorithm, working, viewOf(bytes))),
    verify: async (by, bytes, signature) => {
      try {
        return await crypto.subtle.verify(algorithm, await keyOf(by), viewOf(signature), viewOf(bytes));
      } catch {
        // Not a point of the curve: nobody can have signed with it.
        return false;
      }
    },
  };
}

/** WebCrypto refuses shared memory; nothing of ours is shared. */
const viewOf = (bytes: Uint8Array) => bytes as Uint8Array<ArrayBuffer>;
