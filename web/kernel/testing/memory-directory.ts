// The signaling server's group directory in memory: places tabs in groups, returns a store to its group, tells who comes and
// goes and which groups are neighbours, merges and splits groups when told to, and can be taken down. Moves only when the clock does.
import { hexOf } from '../lib/bytes.ts';
import { bridgeOrder, GroupRings } from '../lib/group-rings.ts';
import { groupId, type GroupId, type PeerId, type StoreId } from '../lib/ids.ts';
import { groupPeersMax } from '../limits.ts';
import { contactsMax } from '../protocol/contracts/groups.ts';
import type { Clock, Directory, DirectoryEntry, DirectoryJoin, DirectoryListener, Neighbourhood, Random } from '../platform.ts';

export interface MemoryDirectoryOptions {
  readonly groupPeersMax?: number;
  /** One way. Default 1. */
  readonly delayMs?: number;
  readonly siteVersion?: string;
  /** How long a change of the neighbourhood waits to be told with others. Default 1 000. */
  readonly neighboursEveryMs?: number;
  /** Checks the proof of identity; accepts every proof when absent. */
  readonly verify?: (join: DirectoryJoin, challenge: Uint8Array, proof: Uint8Array) => Promise<boolean>;
}

interface Session {
  readonly join: DirectoryJoin;
  readonly listener: DirectoryListener;
  /** What the tab was last told: it asks to be returned there. */
  group: GroupId | null;
  state: 'waiting' | 'up' | 'down' | 'stopped' | 'crashed';
}

interface Group {
  readonly network: string;
  readonly members: Map<PeerId, Session>;
  readonly absorbed: GroupId[];
}

export class MemoryDirectory {
  readonly #options: Required<Omit<MemoryDirectoryOptions, 'verify'>> & Pick<MemoryDirectoryOptions, 'verify'>;
  readonly #groups = new Map<GroupId, Group>();
  readonly #groupOfStore = new Map<StoreId, GroupId>();
  readonly #sessions = new Set<Session>();
  readonly #rings = new Map<string, GroupRings>();
  /** By group: what was told last, as JSON. */
  readonly #told = new Map<GroupId, string>();
  #telling = false;
  #up = true;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    options: MemoryDirectoryOptions = {},
  ) {
    this.#options = { groupPeersMax, delayMs: 1, siteVersion: 'test', neighboursEveryMs: 1_000, ...options };
  }

  /** One tab's port. */
  directory(): Directory {
    let session: Session | undefined;
    return {
      start: (join, listener) => {
        if (session !== undefined) return;
        session = { join, listener, group: join.lastGroup, state: 'waiting' };
        this.#sessions.add(session);
        this.#connect(session);
      },
      stop: () => {
        if (session === undefined || session.state === 'stopped') return;
        this.#leave(session);
        session.state = 'stopped';
        this.#sessions.delete(session);
      },
    };
  }

  /** The server goes away: every tab is told, nobody is told of anybody. With `forget` it comes back knowing nothing. */
  down(options: { readonly forget?: boolean } = {}): void {
    if (!this.#up) return;
    this.#up = false;
    for (const group of this.#groups.values()) group.members.clear();
    this.#rings.clear();
    this.#told.clear();
    if (options.forget ?? true) {
      this.#groups.clear();
      this.#groupOfStore.clear();
    }
    for (const session of this.#sessions) {
      if (session.state !== 'waiting' && session.state !== 'up') continue;
      session.state = 'down';
      this.#later(session, () => session.listener.state('down', 'The meeting point is away; work goes on.'));
    }
  }

  /** It is back: tabs reconnect and are welcomed into the groups they were in. */
  up(): void {
    if (this.#up) return;
    this.#up = true;
    for (const session of this.#sessions) {
      if (session.state !== 'down') continue;
      session.state = 'waiting';
      this.#connect(session);
    }
  }

  /** The tab's process dies: its socket closes at once, and its group is told. */
  crash(peer: PeerId): void {
    for (const session of this.#sessions) {
      if (session.join.peer !== peer) continue;
      this.#leave(session);
      session.state = 'crashed';
      this.#sessions.delete(session);
    }
  }

  /** Who is in which group now. */
  groups(): ReadonlyMap<GroupId, readonly PeerId[]> {
    return new Map([...this.#groups].filter(([, { members }]) => members.size > 0).map(([id, { members }]) => [id, [...members.keys()]]));
  }

  /** All of `from` are in `into` from now on. */
  merge(from: GroupId, into: GroupId): void {
    const target = this.#groups.get(into)!;
    const { absorbed, members } = this.#groups.get(from)!;
    target.absorbed.push(...absorbed, from);
    this.#move([...members.values()], from, into);
    this.#groups.delete(from);
    for (const [store, group] of this.#groupOfStore) if (group === from) this.#groupOfStore.set(store, into);
  }

  /** The later half of `group`, by peer id, is a new group from now on. */
  split(group: GroupId): GroupId {
    const { network, members } = this.#groups.get(group)!;
    const into = this.#open(groupId(hexOf(this.random.bytes(16))), network);
    const going = [...members.values()].toSorted((a, b) => (a.join.peer < b.join.peer ? -1 : 1)).slice(Math.ceil(members.size / 2));
    this.#move(going, group, into);
    return into;
  }

  #move(going: readonly Session[], from: GroupId, into: GroupId): void {
    const [source, target] = [this.#groups.get(from)!, this.#groups.get(into)!];
    const there = [...target.members.values()];
    for (const session of going) {
      source.members.delete(session.join.peer);
      target.members.set(session.join.peer, session);
      session.group = into;
      if (session.join.store !== null) this.#groupOfStore.set(session.join.store, into);
    }
    this.#changed(from);
    this.#changed(into);
    const around = this.#around(into);
    for (const session of going) {
      const members = [...target.members.values()].filter((other) => other !== session).map(entryOf);
      this.#later(session, () => session.listener.moved(into, members, around));
      for (const other of there) this.#later(other, () => other.listener.joined(entryOf(session)));
      for (const other of source.members.values()) this.#later(other, () => other.listener.left(session.join.peer));
    }
  }

  #around(id: GroupId): Neighbourhood {
    const group = this.#groups.get(id)!;
    const near = this.#rings.get(group.network)?.neighboursOf(id) ?? [];
    return {
      absorbed: [...group.absorbed],
      neighbours: near.map((other) => ({
        group: other,
        contacts: bridgeOrder(id, other, [...this.#groups.get(other)!.members.keys()]).slice(0, contactsMax),
      })),
    };
  }

  /** Somebody came to the group or left it. */
  #changed(id: GroupId): void {
    const { network, members } = this.#groups.get(id)!;
    let rings = this.#rings.get(network);
    if (rings === undefined) this.#rings.set(network, (rings = new GroupRings()));
    if (members.size > 0) rings.add(id);
    else rings.remove(id);
    if (this.#telling) return;
    this.#telling = true;
    this.clock.after(this.#options.neighboursEveryMs, () => {
      this.#telling = false;
      if (this.#up) this.#tellNeighbours();
    });
  }

  #tellNeighbours(): void {
    for (const [id, group] of this.#groups) {
      if (group.members.size === 0) continue;
      const around = this.#around(id);
      const text = JSON.stringify(around);
      if (this.#told.get(id) === text) continue;
      this.#told.set(id, text);
      for (const session of group.members.values()) this.#later(session, () => session.listener.around(around));
    }
  }

  #connect(session: Session): void {
    if (!this.#up) {
      session.state = 'down';
      this.#later(session, () => session.listener.state('down', 'The meeting point cannot be reached.'));
      return;
    }
    const challenge = this.random.bytes(32);
    const { join } = session;
    this.#later(session, () => {
      void join.prove(challenge).then(async (proof) => {
        const proven = this.#options.verify === undefined || (await this.#options.verify(join, challenge, proof));
        this.#later(session, () => {
          if (session.state !== 'waiting') return;
          if (proven) this.#welcome(session);
          else session.listener.state('refused', 'The proof of identity does not fit.');
        });
      });
    });
  }

  #welcome(session: Session): void {
    const { join } = session;
    const id = this.#place(session);
    const group = this.#groups.get(id)!;
    const others = [...group.members.values()];
    group.members.set(join.peer, session);
    if (join.store !== null) this.#groupOfStore.set(join.store, id);
    session.group = id;
    session.state = 'up';
    this.#changed(id);
    const around = this.#around(id);
    this.#later(session, () => {
      session.listener.state('up', '');
      session.listener.welcome(id, others.map(entryOf), this.#options.siteVersion, around);
    });
    for (const other of others) this.#later(other, () => other.listener.joined(entryOf(session)));
  }

  /** Where the store was, where the tab says it was, else the fullest group with room, else a new one. */
  #place({ join, group }: Session): GroupId {
    const room = (id: GroupId | null | undefined): id is GroupId => {
      const found = id === null || id === undefined ? undefined : this.#groups.get(id);
      return found !== undefined && found.network === join.network && found.members.size < this.#options.groupPeersMax;
    };
    const known = join.store === null ? undefined : this.#groupOfStore.get(join.store);
    if (room(known)) return known;
    if (group !== null && !this.#groups.has(group)) return this.#open(group, join.network);
    if (room(group)) return group;
    const fullest = [...this.#groups].filter(([id]) => room(id)).toSorted(([, a], [, b]) => b.members.size - a.members.size)[0];
    return fullest?.[0] ?? this.#open(groupId(hexOf(this.random.bytes(16))), join.network);
  }

  #open(id: GroupId, network: string): GroupId {
    this.#groups.set(id, { network, members: new Map(), absorbed: [] });
    return id;
  }

  #leave(session: Session): void {
    for (const [id, group] of this.#groups) {
      if (group.members.get(session.join.peer) !== session) continue;
      group.members.delete(session.join.peer);
      this.#changed(id);
      for (const other of group.members.values()) this.#later(other, () => other.listener.left(session.join.peer));
    }
  }

  /** What is said to a tab arrives in the order said, unless the tab is gone by then. */
  #later(session: Session, run: () => void): void {
    this.clock.after(this.#options.delayMs, () => {
      if (session.state !== 'stopped' && session.state !== 'crashed') run();
    });
  }
}

const entryOf = ({ join }: Session): DirectoryEntry => ({ peer: join.peer, store: join.store });
