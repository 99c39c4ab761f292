// The group directory: tells each tab its group, who of it is online and which groups are its neighbours. It knows peers and stores, nothing of
// jobs or data.
//
//   socket: challenged --join, proven--> member --close--> gone (the group is told at once)
//               \--anything else, or joinMs--> refused
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import {
  directoryBeatEveryMs,
  directoryJoinSchema,
  directoryVersion,
  joinProofBytes,
  type DirectoryFrame,
  type DirectoryJoinMessage,
  type DirectoryRefusal,
} from '../web/kernel/protocol/directory.ts';
import { peerBelongsTo, type GroupId, type PeerId } from '../web/kernel/lib/ids.ts';
import { Groups, type Member, type Regrouping } from './groups.ts';
import type { GuardedSocket } from './guarded-socket.ts';
import { provenBy } from './identity-proof.ts';
import type { Limits } from './limits.ts';
import type { Metrics } from './metrics.ts';
import type { SocketDoor } from './socket-gate.ts';

const sentences: Readonly<Record<DirectoryRefusal, string>> = {
  version: 'This page and the server speak different versions. Reload the page.',
  malformed: 'The server did not understand this page. Reload it.',
  forged: 'This tab could not prove who it is.',
  taken: 'Somebody else already has this address. Reload the page.',
  overloaded: 'The server has no room for another group right now. Lull tries again by itself.',
  'too-late': 'This tab took too long to introduce itself. Lull tries again by itself.',
};

export class GroupDirectory implements SocketDoor {
  readonly endpoint = 'directory';
  readonly #groups: Groups;
  readonly #sockets = new Map<PeerId, GuardedSocket>();
  /** By group and network: the surroundings last told, as JSON. */
  readonly #told = new Map<string, string>();
  readonly #beats: NodeJS.Timeout;
  readonly #regroups: NodeJS.Timeout;

  constructor(
    private readonly limits: Limits,
    private readonly metrics: Metrics,
    private readonly siteVersion: string,
    private readonly nowMs: () => number,
  ) {
    this.#groups = new Groups(limits);
    this.#beats = setInterval(() => this.#beat(), directoryBeatEveryMs);
    this.#beats.unref();
    this.#regroups = setInterval(() => this.#regroup(), limits.regroupEveryMs);
    this.#regroups.unref();
  }

  counts(): { networks: number; groups: number; peers: number } {
    return this.#groups.counts();
  }

  close(): void {
    clearInterval(this.#beats);
    clearInterval(this.#regroups);
  }

  enter(socket: GuardedSocket): void {
    const nonce = randomBytes(32).toString('hex');
    let member: PeerId | undefined;
    const late = setTimeout(() => this.#refuse(socket, 'too-late'), this.limits.joinMs);
    late.unref();
    socket.listen(
      (text) => {
        // A member has nothing more to say: what it says is counted by the socket's rate and let pass.
        if (member !== undefined) return;
        const join = parseJoin(text);
        if (typeof join === 'string') this.#refuse(socket, join);
        else member = this.#join(socket, join, nonce)?.peer;
        if (member !== undefined) clearTimeout(late);
      },
      () => {
        clearTimeout(late);
        if (member !== undefined) this.#left(member, socket);
      },
    );
    say(socket, { type: 'challenge', nonce, siteVersion: this.siteVersion });
  }

  #join(socket: GuardedSocket, join: DirectoryJoinMessage, nonce: string): Member | undefined {
    if (!peerBelongsTo(join.peer, join.identity) || !provenBy(join.identity, joinProofBytes(nonce, join), join.signature)) {
      return this.#refuse(socket, 'forged');
    }
    const placement = this.#groups.join(join, this.nowMs());
    if (placement.kind === 'taken') return this.#refuse(socket, 'taken');
    if (placement.kind === 'full') return this.#refuse(socket, 'overloaded');
    const { member, others, replaced } = placement;
    if (replaced !== undefined) this.#replace(replaced, member);
    this.#sockets.set(member.peer, socket);
    this.metrics.count('lull_joins_total');
    const { network, group } = member;
    const around = this.#groups.aroundOf(network, group);
    // The first of a group is told everything here.
    if (others.length === 0) this.#told.set(toldKey(network, group), JSON.stringify({ type: 'neighbours', ...around }));
    say(socket, { type: 'welcome', group, members: others.map(entryOf), siteVersion: this.siteVersion, ...around });
    // Those who already know exactly this entry need not hear of it again.
    if (replaced?.group !== group || replaced.store !== member.store) this.#tell(others, { type: 'joined', ...entryOf(member) });
    return member;
  }

  /** The same identity came back before its old socket was seen to close. */
  #replace(replaced: Member, member: Member): void {
    const socket = this.#sockets.get(replaced.peer);
    this.#sockets.delete(replaced.peer);
    socket?.close(4001, 'the same peer joined again');
    if (replaced.group !== member.group)
      this.#tell(this.#groups.membersOf(replaced.network, replaced.group), { type: 'left', peer: replaced.peer });
  }

  #left(peer: PeerId, socket: GuardedSocket): void {
    const member = this.#groups.memberAt(peer);
    if (member === undefined || this.#sockets.get(peer) !== socket) return;
    this.#sockets.delete(peer);
    this.#tell(this.#groups.leave(member, this.nowMs()), { type: 'left', peer });
  }

  /** Merges and splits what is due, then tells each group whose surroundings are not what it was told. */
  #regroup(): void {
    for (const regrouping of this.#groups.regroup(this.nowMs())) this.#tellMoved(regrouping);
    for (const { network, group } of this.#groups.takeChanged()) {
      const frame = { type: 'neighbours', ...this.#groups.aroundOf(network, group) } as const;
      const key = toldKey(network, group);
      const text = JSON.stringify(frame);
      if (this.#told.get(key) === text) continue;
      this.#told.set(key, text);
      this.#tell(this.#groups.membersOf(network, group), frame);
    }
    const live = this.#groups.counts().groups;
    for (const oldest of this.#told.keys()) {
      if (this.#told.size <= 2 * live) break;
      this.#told.delete(oldest);
    }
  }

  #tellMoved({ network, kind, from, into, moved }: Regrouping): void {
    this.metrics.count(kind === 'merged' ? 'lull_merges_total' : 'lull_splits_total');
    const all = this.#groups.membersOf(network, into);
    const around = this.#groups.aroundOf(network, into);
    for (const member of moved) {
      const members = all.filter(({ peer }) => peer !== member.peer).map(entryOf);
      this.#tell([member], { type: 'moved', group: into, members, ...around });
    }
    const those = new Set(moved.map(({ peer }) => peer));
    const there = all.filter(({ peer }) => !those.has(peer));
    const behind = this.#groups.membersOf(network, from);
    for (const member of moved) {
      this.#tell(there, { type: 'joined', ...entryOf(member) });
      this.#tell(behind, { type: 'left', peer: member.peer });
    }
  }

  #tell(members: readonly Member[], frame: DirectoryFrame): void {
    for (const member of members) {
      const socket = this.#sockets.get(member.peer);
      if (socket !== undefined) say(socket, frame);
    }
  }

  #refuse(socket: GuardedSocket, code: DirectoryRefusal): undefined {
    this.metrics.refused(code);
    say(socket, { type: 'refused', code, message: sentences[code] });
    socket.close(4000, code);
  }

  #beat(): void {
    for (const socket of this.#sockets.values()) say(socket, { type: 'beat' });
  }
}

const entryOf = ({ peer, store }: Member) => ({ peer, store });
const toldKey = (network: string, group: GroupId) => `${group}/${network}`;
const say = (socket: GuardedSocket, frame: DirectoryFrame) => socket.send(JSON.stringify(frame));

/** The join, or why it is none. */
function parseJoin(text: string): DirectoryJoinMessage | 'version' | 'malformed' {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'malformed';
  }
  const join = v.safeParse(directoryJoinSchema, value);
  if (join.success) return join.output;
  const version: unknown = typeof value === 'object' && value !== null && 'v' in value ? value.v : undefined;
  return typeof version === 'number' && version !== directoryVersion ? 'version' : 'malformed';
}
