// The signaling server's placing of tabs, the very code of it, over the virtual clock: who joins is told its group, its members and what lies
// around it; groups are merged and split, and told of their neighbours, once a second. Every shard of a run has all of it: who joins and leaves is
// said to all of them, and done by all at the same time in the same order.
import { defaultLimits } from '../../../signaling/limits.ts';
import { Groups, type JoinWish, type Member } from '../../../signaling/groups.ts';
import type { GroupId, PeerId, StoreId } from '../../kernel/lib/ids.ts';
import type { Clock, Directory, DirectoryEntry, DirectoryJoin, DirectoryListener, Random, Signer } from '../../kernel/platform.ts';

export interface ScaleDirectoryOptions {
  readonly groupPeersMax: number;
  /** One way. */
  readonly delayMs: number;
  readonly verify: Signer['verify'];
}

/** Somebody who is proven joins, or leaves, at so many milliseconds of the common clock. */
export type Change = { readonly at: number; readonly rank: number } & (
  | { readonly t: 'join'; readonly wish: JoinWish }
  | { readonly t: 'leave'; readonly peer: PeerId }
);

interface Session {
  readonly join: DirectoryJoin;
  readonly listener: DirectoryListener;
  readonly rank: number;
  proven: boolean;
  over: boolean;
}

export class ScaleDirectory {
  readonly #groups: Groups;
  /** All who are placed. */
  readonly #members = new Map<PeerId, Member>();
  /** By when they are due. */
  readonly #changes = new Map<number, Change[]>();
  #said: Change[] = [];
  /** Of this shard's tabs. */
  readonly #sessions = new Map<PeerId, Session>();
  readonly #told = new Map<GroupId, string>();
  merges = 0;
  splits = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly options: ScaleDirectoryOptions,
    /** Others hear of each change before it is due; see `takeChanges`. */
    private readonly shared = false,
  ) {
    this.#groups = new Groups({ ...defaultLimits, groupPeersMax: options.groupPeersMax, groupsPerNetworkMax: Infinity });
    this.#regroupLater();
  }

  /** Of those that come in the same millisecond the lower `rank` is first. */
  directory(rank: number): Directory {
    let session: Session | undefined;
    return {
      start: (join, listener) => {
        if (session !== undefined) return;
        session = { join, listener, rank, proven: false, over: false };
        this.#sessions.set(join.peer, session);
        this.#challenge(session);
      },
      stop: () => {
        if (session !== undefined) this.#end(session);
      },
    };
  }

  /** The tab's process dies: its socket closes. */
  crash(peer: PeerId): void {
    const session = this.#sessions.get(peer);
    if (session !== undefined) this.#end(session);
  }

  get groups(): number {
    return this.#groups.counts().groups;
  }

  groupOf(peer: PeerId): GroupId | undefined {
    return this.#members.get(peer)?.group;
  }

  membersOf(network: string, group: GroupId): readonly PeerId[] {
    return this.#groups.membersOf(network, group).map(({ peer }) => peer);
  }

  /** All who are placed, with their groups. */
  *placed(): Generator<readonly [PeerId, GroupId]> {
    for (const [peer, { group }] of this.#members) yield [peer, group];
  }

  /** What this shard has to say to all, itself too; taken, it is said. */
  takeChanges(): readonly Change[] {
    const said = this.#said;
    this.#said = [];
    return said;
  }

  /** What one shard said. */
  changed(changes: readonly Change[]): void {
    for (const change of changes) {
      const due = this.#changes.get(change.at);
      if (due !== undefined) {
        due.push(change);
        continue;
      }
      this.#changes.set(change.at, [change]);
      this.clock.after(change.at - this.clock.now(), () => this.#change(change.at));
    }
  }

  #challenge(session: Session): void {
    const { join } = session;
    const challenge = this.random.bytes(32);
    this.#later(session, () => {
      void join.prove(challenge).then(async (proof) => {
        const proven = await this.options.verify(join.identity, challenge, proof);
        if (session.over) return;
        if (!proven) {
          this.#later(session, () => session.listener.state('refused', 'The proof of identity does not fit.'));
          return;
        }
        session.proven = true;
        const { network, peer, identity, store, lastGroup } = join;
        this.#say({ t: 'join', at: this.clock.now(), rank: session.rank, wish: { network, peer, identity, store, lastGroup } });
      });
    });
  }

  #end(session: Session): void {
    if (session.over) return;
    session.over = true;
    const { join, rank, proven } = session;
    this.#sessions.delete(join.peer);
    if (proven) this.#say({ t: 'leave', at: this.clock.now(), rank, peer: join.peer });
  }

  /** Takes its way to the server, on which the other shards hear of it. */
  #say(change: Change): void {
    const later = { ...change, at: change.at + this.options.delayMs };
    if (this.shared) this.#said.push(later);
    else this.changed([later]);
  }

  /** All that is due now, in an order that does not depend on who said it first. */
  #change(at: number): void {
    const due = this.#changes.get(at)!;
    this.#changes.delete(at);
    for (const change of due.toSorted((a, b) => a.rank - b.rank)) {
      if (change.t === 'join') this.#join(change.wish);
      else this.#leave(change.peer);
    }
  }

  #join(wish: JoinWish): void {
    const session = this.#sessions.get(wish.peer);
    const placement = this.#groups.join(wish, this.clock.now());
    if (placement.kind !== 'placed') {
      if (session !== undefined) this.#later(session, () => session.listener.state('refused', `There is no place: ${placement.kind}.`));
      return;
    }
    const { member, others } = placement;
    this.#members.set(wish.peer, member);
    if (others.length === 0) this.#told.set(member.group, JSON.stringify(this.#groups.aroundOf(wish.network, member.group)));
    if (session !== undefined) {
      const around = this.#groups.aroundOf(wish.network, member.group);
      const entries = others.map(entryOf);
      this.#later(session, () => {
        session.listener.state('up', '');
        session.listener.welcome(member.group, entries, 'sim', around);
      });
    }
    this.#tell(others, (listener) => listener.joined(entryOf(member)));
  }

  #leave(peer: PeerId): void {
    const member = this.#members.get(peer);
    if (member === undefined) return;
    this.#members.delete(peer);
    this.#tell(this.#groups.leave(member, this.clock.now()), (listener) => listener.left(peer));
  }

  #regroupLater(): void {
    this.clock.after(defaultLimits.regroupEveryMs, () => {
      this.#regroup();
      this.#regroupLater();
    });
  }

  #regroup(): void {
    for (const { network, kind, from, into, moved } of this.#groups.regroup(this.clock.now())) {
      if (kind === 'merged') this.merges++;
      else this.splits++;
      const all = this.#groups.membersOf(network, into);
      const around = this.#groups.aroundOf(network, into);
      const those = new Set(moved.map(({ peer }) => peer));
      for (const member of moved) {
        this.#members.set(member.peer, member);
        const entries = all.filter(({ peer }) => peer !== member.peer).map(entryOf);
        this.#tell([member], (listener) => listener.moved(into, entries, around));
      }
      const there = all.filter(({ peer }) => !those.has(peer));
      const behind = this.#groups.membersOf(network, from);
      for (const member of moved) {
        this.#tell(there, (listener) => listener.joined(entryOf(member)));
        this.#tell(behind, (listener) => listener.left(member.peer));
      }
    }
    for (const { network, group } of this.#groups.takeChanged()) {
      const around = this.#groups.aroundOf(network, group);
      const text = JSON.stringify(around);
      if (this.#told.get(group) === text) continue;
      this.#told.set(group, text);
      this.#tell(this.#groups.membersOf(network, group), (listener) => listener.around(around));
    }
  }

  #tell(members: readonly Member[], say: (listener: DirectoryListener) => void): void {
    for (const { peer } of members) {
      const session = this.#sessions.get(peer);
      if (session !== undefined) this.#later(session, () => say(session.listener));
    }
  }

  /** What is said to a tab arrives in the order said, unless the tab is gone by then. */
  #later(session: Session, run: () => void): void {
    this.clock.after(this.options.delayMs, () => {
      if (!session.over) run();
    });
  }
}

const entryOf = ({ peer, store }: { peer: PeerId; store: StoreId | null }): DirectoryEntry => ({ peer, store });
