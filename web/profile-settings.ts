// Wires the profile's identity and networks to the Settings page, and to the link that invites into a network.
import { removeStorage } from './adapters/idb-storage.ts';
import { networkShelf } from './adapters/network-shelf.ts';
import { profileMoves } from './adapters/profile-moves.ts';
import { identityIdOf, webDigest, type Identity } from './adapters/web-crypto.ts';
import type { PendingInvite, ProfileSource } from './dashboard/settings/source.ts';
import { bytesOfHex, hexOf } from './kernel/lib/bytes.ts';
import { identityId } from './kernel/lib/ids.ts';
import { inviteFragment, networkKeyBytes, networkTitleOf, parseInvite, type KnownNetwork } from './kernel/lib/invite.ts';
import { publicNetwork } from './kernel/lib/network-key.ts';
import { unwrap, type Outcome } from './kernel/lib/outcome.ts';
import type { Random } from './kernel/platform.ts';

export interface ProfileSettings extends ProfileSource {
  /** What the kernel of this page is started with. */
  readonly joined: { readonly network: string; readonly networkKey?: Uint8Array };
  /** Database of what is kept for the network this page is in: a store belongs to the groups of one network. */
  readonly storeName: string;
  /** Resolves when no invite waits for an answer: until then nobody is met, neither here nor there. */
  answered(): Promise<void>;
}

const storeNameOf = (network: KnownNetwork | null) => (network === null ? 'lull' : `lull~${network.network}`);

/** Takes the key of an invite out of the address at once, so that neither the bar nor a copied address shows it. */
function takeFragment(): string {
  const { hash, pathname, search } = location;
  if (parseInvite(hash) !== undefined) history.replaceState(history.state, '', pathname + search);
  return hash;
}

export function profileSettings(random: Random, identity: Promise<Outcome<Identity>>): ProfileSettings {
  const shelf = networkShelf(webDigest.sha256);
  const moves = profileMoves();
  const network = shelf.current();
  const own = async () => unwrap(await identity);

  let pending: PendingInvite | null = null;
  const listeners = new Set<() => void>();
  const become = (next: PendingInvite | null) => {
    pending = next;
    for (const listener of listeners) listener();
  };
  const read = async (fragment: string) => {
    const invite = parseInvite(fragment);
    if (invite === undefined) return;
    if (invite === 'damaged') return become({ kind: 'damaged' });
    const invited = await shelf.look(invite);
    if (invited.network === network?.network) return become(null);
    const known = shelf.networks().some((each) => each.network === invited.network);
    become({ kind: 'invite', network: invited, known });
  };
  const first = read(takeFragment());
  // A link pasted into the address bar of an open tab loads nothing.
  addEventListener('hashchange', () => void read(takeFragment()));

  return {
    network,
    joined: network === null ? { network: publicNetwork } : { network: network.network, networkKey: bytesOfHex(network.key) },
    storeName: storeNameOf(network),
    answered: async () => {
      await first;
      if (pending?.kind !== 'invite') return;
      await new Promise<void>((resolve) => {
        const listener = () => {
          if (pending?.kind === 'invite') return;
          listeners.delete(listener);
          resolve();
        };
        listeners.add(listener);
      });
    },
    networks: () => shelf.networks(),
    linkOf: (of) => `${location.origin}/${inviteFragment(of)}`,
    make: (name) => shelf.look({ key: hexOf(random.bytes(networkKeyBytes)), name: networkTitleOf(name) }),
    moveTo: async (to) => {
      unwrap(shelf.moveTo(to));
      moves.moved();
    },
    forget: async (of) => {
      unwrap(shelf.forget(of.network));
      unwrap(await removeStorage(storeNameOf(of)));
    },
    invite: {
      state: () => pending,
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      refuse: () => become(null),
    },
    identity: async () => {
      const { signer, kept, others } = await own();
      return { identity: signer.identity, kept, others: unwrap(await others()) };
    },
    secret: async () => unwrap(await (await own()).exportSeed()),
    identityOf: async (seed) => unwrap(await identityIdOf(seed)),
    bringIn: async (seed) => {
      unwrap(await (await own()).importSeed(seed));
      moves.moved();
    },
    become: async (other) => {
      unwrap(await (await own()).become(identityId(other)));
      moves.moved();
    },
    remove: async (other) => unwrap(await (await own()).remove(identityId(other))),
  };
}
