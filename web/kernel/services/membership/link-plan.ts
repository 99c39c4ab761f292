// Whom to dial next. A newcomer dials eagerly until it has `linksMin` links; the rest of the mesh fills lazily, one a time, the lower
// peer id of each pair dialling, so that the two do not dial each other.
import type { PeerId } from '../../lib/ids.ts';
import { rankByRendezvous } from '../../lib/rendezvous.ts';
import { groupPeersMax, linkFillEveryMs, linksMin } from '../../limits.ts';

export const linksMax = groupPeersMax + 8;
/** Who came after us dials those it lacks itself: it is given this long, in which a link opens over a third of a second each way. */
export const comerFirstMs = 2_500;
/** The higher id dials too where the lower one has not managed to in this long: one of two directions may be blocked. */
export const otherSideAfterMs = 10 * linkFillEveryMs;
/** After the n-th failure a peer is left alone for min(first x 2^n, max). */
export const redialFirstMs = 2_000;
export const redialMaxMs = 30_000;
/** One known by hearsay alone is given up after so many failures; one that the directory lists is not. */
export const hearsayFailuresMax = 4;
const candidatesMax = 4 * groupPeersMax;

interface Candidate {
  readonly since: number;
  /** It was there before us: dialling is ours to do. */
  eager: boolean;
  /** The directory says it is online. */
  listed: boolean;
  /** It came after us. */
  comer: boolean;
  failures: number;
  retryAt: number;
  dialling: boolean;
}

export class LinkPlan {
  readonly #candidates = new Map<PeerId, Candidate>();
  #linked: ReadonlySet<PeerId> = new Set();
  #filledAt = -Infinity;

  constructor(private readonly self: PeerId) {}

  get linkCount(): number {
    return this.#linked.size;
  }

  /** Those online when the directory welcomed us; who is neither among them nor linked is not there to be dialled. */
  welcomed(peers: readonly PeerId[], now: number): void {
    const listed = new Set(peers);
    for (const [peer, candidate] of this.#candidates) {
      if (!listed.has(peer) && !candidate.dialling && !this.#linked.has(peer)) this.#candidates.delete(peer);
    }
    for (const peer of listed) {
      const candidate = this.#want(peer, now);
      if (candidate === undefined) continue;
      candidate.eager = candidate.listed = true;
      // Whatever kept it from answering may be over.
      candidate.retryAt = Math.min(candidate.retryAt, now);
    }
  }

  /** The directory saw it come: it will dial those it lacks itself. */
  joined(peer: PeerId, now: number): void {
    const candidate = this.#want(peer, now);
    if (candidate !== undefined) candidate.listed = candidate.comer = true;
  }

  /** Members told of it. */
  heardOf(peer: PeerId, now: number): void {
    this.#want(peer, now);
  }

  #want(peer: PeerId, now: number): Candidate | undefined {
    if (peer === this.self) return undefined;
    const known = this.#candidates.get(peer);
    if (known !== undefined || this.#candidates.size >= candidatesMax) return known;
    const candidate: Candidate = { since: now, eager: false, listed: false, comer: false, failures: 0, retryAt: now, dialling: false };
    this.#candidates.set(peer, candidate);
    return candidate;
  }

  forget(peer: PeerId): void {
    this.#candidates.delete(peer);
  }

  links(open: ReadonlySet<PeerId>): void {
    this.#linked = open;
    for (const peer of open) {
      const candidate = this.#candidates.get(peer);
      if (candidate !== undefined) candidate.failures = 0;
    }
  }

  failed(peer: PeerId, now: number): void {
    const candidate = this.#candidates.get(peer);
    if (candidate === undefined) return;
    candidate.dialling = false;
    candidate.retryAt = now + Math.min(redialFirstMs * 2 ** candidate.failures, redialMaxMs);
    candidate.failures++;
    if (!candidate.listed && candidate.failures >= hearsayFailuresMax) this.#candidates.delete(peer);
  }

  dialled(peer: PeerId): void {
    const candidate = this.#candidates.get(peer);
    if (candidate !== undefined) candidate.dialling = false;
  }

  /** Peers to dial now; they count as being dialled until `dialled` or `failed`. */
  next(now: number): PeerId[] {
    const dialling = [...this.#candidates.values()].filter((candidate) => candidate.dialling).length;
    let room = linksMax - this.#linked.size - dialling;
    const open = [...this.#candidates].filter(([peer, it]) => !this.#linked.has(peer) && !it.dialling && it.retryAt <= now);
    const chosen: PeerId[] = [];
    const dial = (peer: PeerId) => {
      if (room-- <= 0) return;
      this.#candidates.get(peer)!.dialling = true;
      chosen.push(peer);
    };
    const waited = (it: Candidate, ms: number) => now - it.since >= (it.comer ? Math.max(ms, comerFirstMs) : ms);
    const lacking = linksMin - this.#linked.size - dialling;
    if (lacking > 0) {
      const eager = open.filter(([, it]) => it.eager || waited(it, 2 * linkFillEveryMs)).map(([peer]) => peer);
      for (const peer of rankByRendezvous(this.self, eager).slice(0, lacking)) dial(peer);
    }
    if (chosen.length === 0 && dialling === 0 && now - this.#filledAt >= linkFillEveryMs) {
      const lazy = open.filter(([peer, it]) => waited(it, this.self < peer ? linkFillEveryMs : otherSideAfterMs)).map(([peer]) => peer);
      const [peer] = rankByRendezvous(this.self, lazy);
      if (peer !== undefined) {
        this.#filledAt = now;
        dial(peer);
      }
    }
    return chosen;
  }
}
