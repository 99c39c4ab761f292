// The group directory: tells each tab its group and who of it is online. It knows peers and stores, nothing of jobs or data.
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
import { peerBelongsTo } from '../web/kernel/lib/ids.ts';
import { Groups, type Member } from './groups.ts';
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
  readonly #sockets = new Map<Member, GuardedSocket>();
  readonly #beats: NodeJS.Timeout;

  constructor(
    private readonly limits: Limits,
    private readonly metrics: Metrics,
    private readonly siteVersion: string,
  ) {
    this.#groups = new Groups(limits);
    this.#beats = setInterval(() => this.#beat(), directoryBeatEveryMs);
    this.#beats.unref();
  }

  counts(): { networks: number; groups: number; peers: number } {
    return this.#groups.counts();
  }

  close(): void {
    clearInterval(this.#beats);
  }

  enter(socket: GuardedSocket): void {
    const nonce = randomBytes(32).toString('hex');
    let member: Member | undefined;
    const late = setTimeout(() => this.#refuse(socket, 'too-late'), this.limits.joinMs);
    late.unref();
    socket.listen(
      (text) => {
        // A member has nothing more to say: what it says is counted by the socket's rate and let pass.
        if (member !== undefined) return;
        const join = parseJoin(text);
        if (typeof join === 'string') this.#refuse(socket, join);
        else member = this.#join(socket, join, nonce);
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
    const placement = this.#groups.join(join);
    if (placement.kind === 'taken') return this.#refuse(socket, 'taken');
    if (placement.kind === 'full') return this.#refuse(socket, 'overloaded');
    const { member, others, replaced } = placement;
    if (replaced !== undefined) this.#replace(replaced, member);
    this.#sockets.set(member, socket);
    this.metrics.count('lull_joins_total');
    const members = others.map(({ peer, store }) => ({ peer, store }));
    say(socket, { type: 'welcome', group: member.group, members, siteVersion: this.siteVersion });
    // Those who already know exactly this entry need not hear of it again.
    if (replaced?.group !== member.group || replaced.store !== member.store) {
      this.#tell(others, { type: 'joined', peer: member.peer, store: member.store });
    }
    return member;
  }

  /** The same identity came back before its old socket was seen to close. */
  #replace(replaced: Member, member: Member): void {
    const socket = this.#sockets.get(replaced);
    this.#sockets.delete(replaced);
    socket?.close(4001, 'the same peer joined again');
    if (replaced.group !== member.group)
      this.#tell(this.#groups.membersOf(replaced.network, replaced.group), { type: 'left', peer: replaced.peer });
  }

  #left(member: Member, socket: GuardedSocket): void {
    if (this.#sockets.get(member) !== socket) return;
    this.#sockets.delete(member);
    this.#tell(this.#groups.leave(member), { type: 'left', peer: member.peer });
  }

  #tell(members: readonly Member[], frame: DirectoryFrame): void {
    for (const member of members) {
      const socket = this.#sockets.get(member);
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
