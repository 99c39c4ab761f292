// Objects that nobody in this group holds are asked for at members of neighbouring groups, each of whom reads them in its own. What comes
// is compared with the ids it was asked by, so it does not matter whom it comes from.
import type { ObjectId, PeerId } from '../../lib/ids.ts';
import { FaultError } from '../../lib/outcome.ts';
import { rankByRendezvous } from '../../lib/rendezvous.ts';
import type { Cancel, Platform } from '../../platform.ts';
import { blocksContract } from '../../protocol/contracts/blocks.ts';
import { groupsContract, type GroupsView } from '../../protocol/contracts/groups.ts';
import type { Bus } from '../../service.ts';
import { leafHash } from './leaf-hash.ts';
import { idOfManifest, manifestBytesMax } from './manifest.ts';
import { transferMs, type Neighbours } from './neighbours.ts';
import { firstOf } from './race.ts';

/** Of each neighbouring group so many are asked. */
const askedPerGroup = 3;
const hedgeMs = 2_000;
/** What others are read for at once; more is 'overloaded', and they ask somebody else. */
const servedMax = 8;

export class Abroad {
  #view: GroupsView | undefined;
  #serving = 0;

  constructor(
    private readonly platform: Platform,
    private readonly bus: Bus,
    private readonly neighbours: Pick<Neighbours, 'mayHedge' | 'coming'>,
  ) {}

  watch(): Cancel {
    return this.bus.watch(groupsContract, 'view', (view) => (this.#view = view));
  }

  /** The encoded manifest, which is that of `id`; undefined where nobody had it. */
  manifest(id: ObjectId): Promise<Uint8Array | undefined> {
    return firstOf(this.platform.clock, this.#others(id), hedgeMs, async (peer) => {
      const answer = await this.bus.ask(blocksContract, 'abroad', 'lookup', { id }, { peer, timeoutMs: transferMs(manifestBytesMax) });
      const bytes = answer.ok ? answer.value.buffers[answer.value.body.manifest] : undefined;
      return bytes !== undefined && (await idOfManifest(this.platform.digest, bytes)) === id ? bytes : undefined;
    });
  }

  /** The bytes whose leaf hash is `hash`; undefined where nobody had them. */
  segment(object: ObjectId, segment: number, { hash, size }: { readonly hash: string; readonly size: number }) {
    const attempt = async (peer: PeerId) => {
      const answer = await this.bus.ask(blocksContract, 'abroad', 'get', { object, segment }, { peer, timeoutMs: 2 * transferMs(size) });
      const bytes = answer.ok ? answer.value.buffers[answer.value.body.data] : undefined;
      return bytes?.length === size && (await leafHash(this.platform.digest, bytes)) === hash ? bytes : undefined;
    };
    const others = this.#others(`${object} ${segment}`);
    const mayHedge = (running: readonly PeerId[], waitedMs: number) => this.neighbours.mayHedge(running, waitedMs, hedgeMs);
    return this.neighbours.coming(size, () => firstOf(this.platform.clock, others, hedgeMs, attempt, mayHedge));
  }

  /** Does `read` for somebody of another group. @throws FaultError 'overloaded' */
  async serve<T>(read: () => Promise<T>): Promise<T> {
    if (this.#serving >= servedMax) throw new FaultError('overloaded', 'This tab is reading as much for other groups as it may.');
    this.#serving++;
    try {
      return await read();
    } finally {
      this.#serving--;
    }
  }

  /** Members of the neighbours that are heard: the first of each group before the second of any, spread by what is asked for. */
  #others(what: string): PeerId[] {
    const groups = (this.#view?.neighbours ?? [])
      .filter(({ up }) => up)
      .map(({ members }) =>
        rankByRendezvous(
          what,
          members.map(({ peer }) => peer),
        ).slice(0, askedPerGroup),
      );
    return Array.from({ length: askedPerGroup }, (_, i) => groups.flatMap((peers) => peers.slice(i, i + 1))).flat();
  }
}
