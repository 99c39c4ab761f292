// The signaling server's placing of tabs, the very code of it, over the virtual clock: who joins is told its group, its members and what lies
// around it; groups are merged and split, and told of their neighbours, once a second.
import { defaultLimits } from '../../../signaling/limits.ts';
import { Groups, type Member } from '../../../signaling/groups.ts';
import type { GroupId, PeerId, StoreId } from '../../kernel/lib/ids.ts';
import type { Clock, Directory, DirectoryEntry, DirectoryJoin, DirectoryListener, Random, Signer } from '../../kernel/platform.ts';

export interface ScaleDirectoryOptions {
  readonly groupPeersMax: number;
  /** One way. */
  readonly delayMs: number;
  readonly verify: Signer['verify'];
}

interface Session {
  readonly join: DirectoryJoin;
  readonly listener: DirectoryListener;
  member: Member | undefined;
  over: boolean;
}

export class ScaleDirectory {
  readonly #groups: Groups;
  readonly #sessions = new Map<PeerId, Session>();
  readonly #told = new Map<GroupId, string>();
  merges = 0;
  splits = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: Random,
    private readonly options: ScaleDirectoryOptions,
  ) {
    this.#groups = new Groups({ ...defaultLimits, groupPeersMax: options.groupPeersMax, groupsPerNetworkMax: Infinity });
    this.#regroupLater();
  }

  directory(): Directory {
    let session: Session | undefined;
    return {
      start: (join, listener) => {
        if (session !== undefined) return;
        session = { join, listener, member: undefined, over: false };
        this.#sessions.set(join.peer, session);
        this.#challenge(session);
      },
      stop: () => {
        if (session !== undefined) this.#end(session);
      },
    };
  }

  /** The tab's process dies: its socket closes at once. */
  crash(peer: PeerId): void {
    const session = this.#sessions.get(peer);
    if (session !== undefined) this.#end(session);
  }

  get groups(): number {
    return this.#groups.counts().groups;
  }

  groupOf(peer: PeerId): GroupId | undefined {
    return this.#sessions.get(peer)?.member?.group;
  }

  membersOf(network: string, group: GroupId): readonly PeerId[] {
    return this.#groups.membersOf(network, group).map(({ peer }) => peer);
  }

  #challenge(session: Session): void {
    const { join } = session;
    const challenge = this.random.bytes(32);
    this.#later(session, () => {
      void join.prove(challenge).then(async (proof) => {
        const proven = await this.options.verify(join.identity, challenge, proof);
        this.#later(session, () => {
          if (proven) this.#welcome(session);
          else session.listener.state('refused', 'The proof of identity does not fit.');
        });
      });
    });
  }

  #welcome(session: Session): void {
    const { join } = session;
    const { network, peer, identity, store, lastGroup } = join;
    const placement = this.#groups.join({ network, peer, identity, store, lastGroup }, this.clock.now());
    if (placement.kind !== 'placed') {
      this.#later(session, () => session.listener.state('refused', `There is no place: ${placement.kind}.`));
      return;
    }
    const { member, others } = placement;
    session.member = member;
    const around = this.#groups.aroundOf(network, member.group);
    if (others.length === 0) this.#told.set(member.group, JSON.stringify(around));
    const entries = others.map(entryOf);
    this.#later(session, () => {
      session.listener.state('up', '');
      session.listener.welcome(member.group, entries, 'sim', around);
    });
    this.#tell(others, (listener) => listener.joined(entryOf(member)));
  }

  #end(session: Session): void {
    if (session.over) return;
    session.over = true;
    this.#sessions.delete(session.join.peer);
    const { member } = session;
    if (member === undefined) return;
    this.#tell(this.#groups.leave(member, this.clock.now()), (listener) => listener.left(member.peer));
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
        const session = this.#sessions.get(member.peer);
        if (session !== undefined) session.member = member;
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
