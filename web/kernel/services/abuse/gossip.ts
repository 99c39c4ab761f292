// Passes the deny list on from tab to tab, so that it gets everywhere without the server. Versions are told; lists are asked for.
//
//   newcomer, and everybody now and then: query {version} -> the list, where it is newer; who is asked and is behind asks back
//   who takes one from the server or from another group: update {version} to all members; everybody who takes one: to their bridges
import type { PeerId } from '../../lib/ids.ts';
import { speakingBridge } from '../../lib/speaking-bridge.ts';
import { denyListAskEveryMs } from '../../limits.ts';
import type { Cancel } from '../../platform.ts';
import { abuseContract } from '../../protocol/contracts/abuse.ts';
import type { GroupsView } from '../../protocol/contracts/groups.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import type { SignedDenyList } from '../../protocol/deny-list.ts';
import type { ServiceContext } from '../../service.ts';

/** A member that gave a list which was refused is not asked again for so long. */
const avoidMs = 600_000;
const avoidedMax = 256;
const asksMax = 4;
/** The first question of a tab that has just met others. */
const meetMs = 300;

export class Gossip {
  #members: readonly Member[] = [];
  #bridges: readonly PeerId[] = [];
  readonly #avoided = new Map<PeerId, number>();
  readonly #asking = new Set<PeerId>();
  #timer: Cancel | undefined;
  #met = false;

  constructor(
    private readonly context: ServiceContext<typeof abuseContract>,
    private readonly version: () => number,
    /** True where the list counts from now on; false where it was refused, or was known. */
    private readonly take: (list: SignedDenyList, by: PeerId) => Promise<boolean>,
  ) {}

  start(): void {
    this.#schedule(denyListAskEveryMs);
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
  }

  setMembers(members: readonly Member[]): void {
    this.#members = members.filter(({ peer }) => peer !== this.context.self.peer);
    if (this.#met || this.#members.length === 0 || this.#timer === undefined) return;
    this.#met = true;
    this.#schedule(meetMs);
  }

  setGroups({ neighbours }: GroupsView): void {
    this.#bridges = neighbours.flatMap(({ up, bridges }) => {
      const speaking = up ? speakingBridge(bridges) : undefined;
      return speaking?.here === this.context.self.peer ? [speaking.there] : [];
    });
  }

  /** Somebody says that they have this version. */
  heard(from: PeerId, version: number): void {
    if (version > this.version()) void this.#ask(from);
  }

  /** A list counts since now: who gave it knows it (undefined: the server did). */
  spread(from: PeerId | undefined): void {
    const fromHere = this.#members.some(({ peer }) => peer === from);
    const told = fromHere ? this.#bridges : [...this.#members.map(({ peer }) => peer), ...this.#bridges];
    for (const peer of told)
      if (peer !== from) void this.context.ask(abuseContract, 'list', 'update', { version: this.version() }, { peer });
  }

  #schedule(everyMs: number): void {
    const { clock, random } = this.context.platform;
    this.#timer?.();
    this.#timer = clock.after(everyMs * (0.75 + random.fraction() / 2), () => {
      this.#schedule(denyListAskEveryMs);
      const candidates = [...this.#members.filter(({ status }) => status === 'alive').map(({ peer }) => peer), ...this.#bridges];
      const peer = candidates[Math.floor(random.fraction() * candidates.length)];
      if (peer !== undefined) void this.#ask(peer);
    });
  }

  async #ask(peer: PeerId): Promise<void> {
    const now = this.context.platform.clock.now();
    if (this.#asking.has(peer) || this.#asking.size >= asksMax || now < (this.#avoided.get(peer) ?? -Infinity)) return;
    this.#asking.add(peer);
    try {
      const reply = await this.context.ask(abuseContract, 'list', 'query', { version: this.version() }, { peer });
      const list = reply.ok ? reply.value.body.list : null;
      if (list === null) return;
      const before = this.version();
      if (await this.take(list, peer)) return this.spread(peer);
      if (this.version() === before) this.#avoid(peer, now + avoidMs);
    } finally {
      this.#asking.delete(peer);
    }
  }

  #avoid(peer: PeerId, until: number): void {
    this.#avoided.set(peer, until);
    if (this.#avoided.size > avoidedMax) this.#avoided.delete(this.#avoided.keys().next().value!);
  }
}
