// Looks on at slices that are not what they should be (S7): whoever was given one and could tell names its holder, and nobody else is named.
import type { IdentityId, PeerId } from '../kernel/lib/ids.ts';
import { short } from './queue-watch.ts';
import type { Violations } from './watch.ts';

/** A holder who had left when its slice was judged cannot be named, and the last one may come as the run ends; several in a row are no accident. */
const namelessMin = 3;

type SliceOf = 'function' | 'object';

export class ForgeryWatch {
  /** Slices that the forger gave out, by reader and slice. */
  readonly #given = new Set<string>();
  /** By reader, forged slices that have reached it: who names a forger of functions has not thereby named one of objects. */
  readonly #received = { function: new Map<PeerId, Set<string>>(), object: new Map<PeerId, Set<string>>() };
  readonly #granted = new Set<string>();
  readonly #naming = { function: new Set<PeerId>(), object: new Set<PeerId>() };

  constructor(
    private readonly violations: Violations,
    /** Who forges in this run, if anybody. */
    private readonly forger: IdentityId | undefined,
    /**
     * Whose messages have wrong bits: whoever reads a slice in one cannot but name them. And a holder can compare no slice of a function with
     * anything: what it was given with a wrong bit it gives out, and is who the false slice came from.
     */
    private readonly garbled: ReadonlySet<IdentityId>,
  ) {}

  /** The forger answers `reader`; whether it arrives is not known. */
  gave(reader: PeerId, what: string): void {
    this.#given.add(`${reader} ${what}`);
  }

  /** `peer` answered `reader` with this slice. */
  received(reader: PeerId, peer: PeerId | 'self' | 'group' | undefined, what: string): void {
    const forgerAnswered = this.forger !== undefined && peer?.startsWith(this.forger.slice(0, 32)) === true;
    if (forgerAnswered && this.#given.has(`${reader} ${what}`)) this.#reached('object', reader, what);
  }

  /** The forger granted `reader` a function, with a forged slice of it. */
  granted(reader: PeerId, peer: PeerId | undefined, record: string): void {
    if (this.forger !== undefined && peer?.startsWith(this.forger.slice(0, 32)) === true && peer !== reader)
      this.#granted.add(`${reader} ${record}`);
  }

  /** `reader` owns the function now, so it has read it from other slices, and can tell. */
  owned(reader: PeerId, record: string): void {
    if (this.#granted.has(`${reader} ${record}`)) this.#reached('function', reader, record);
  }

  named(by: PeerId, identities: readonly IdentityId[], sliceOf: SliceOf): void {
    for (const identity of identities) {
      if (identity === this.forger) this.#naming[sliceOf].add(by);
      else if (!this.garbled.has(identity) && (sliceOf === 'object' || this.garbled.size === 0))
        this.violations.add('S7', `${short(by)} names ${identity.slice(0, 8)} as a forger, who forged nothing`);
    }
  }

  finish(isHere: (peer: PeerId) => boolean): void {
    for (const sliceOf of ['function', 'object'] as const)
      for (const [reader, slices] of this.#received[sliceOf])
        if (isHere(reader) && !this.#naming[sliceOf].has(reader) && slices.size >= namelessMin)
          this.violations.add(
            'S7',
            `${short(reader)} was given ${slices.size} forged slices of ${sliceOf}s, of ${short([...slices][0]!)} and others, and names nobody`,
          );
  }

  #reached(sliceOf: SliceOf, reader: PeerId, what: string): void {
    const received = this.#received[sliceOf];
    received.set(reader, (received.get(reader) ?? new Set()).add(what));
  }
}
