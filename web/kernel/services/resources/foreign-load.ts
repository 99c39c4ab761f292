// Watches for others who want the processor (yielding.ts): hears the probes of our workers, sends a scout where they cannot tell (none
// runs, or their items are long), and looks at how late the page's own timers are.
import type { Cancel, Clock, Machine } from '../../platform.ts';
import type { ProbeReading } from '../../protocol/sandbox.ts';
import { isOthersPressure } from './constraints.ts';
import { crowded, lagged, probed, scouted, takenByOthers, unhindered, type Room, type Yielding } from './yielding.ts';

export const tickMs = 250;
/** A scout that looks whether there is room again; and one beside workers whose own probes are silent, or might not be true. */
const roomEveryMs = 1_000;
/** The more cores, the less one thread more shows: it has to look longer. */
export const roomScoutMs = (cores: number) => Math.min(100, Math.max(30, 15 * cores));
const silentEveryMs = 500;
const witnessEveryMs = 3_000;
/**
 * The same beside fewer workers than cores. A system that shares the processor by program and not by thread (Linux: autogroups, control
 * groups) may leave our worker a core of its own, and crowd what is not ours onto the rest: the worker loses nothing, the other program half.
 */
const sparedEveryMs = 750;
const witnessScoutMs = 10;
/**
 * A thread that has slept is served first for some 10 ms (Linux), and longer where it is the only one of its program on that core: beside two
 * others that compute, of looks of 10 ms half lose nothing, of 20 ms a third, of 30 ms one in ten.
 */
const sparedScoutMs = 30;
/** So long after the first worker began, the page is busy starting it, and its own bursts look like another program. */
const startingMs = 1_000;
/**
 * A witness that lost something is asked again at once, and for longer, so many times. What our own page does in bursts costs one of them
 * something; another program costs them all.
 */
const doubtsMax = 4;
/** So many of these must have lost what another program takes: once, the page's own bursts do. */
const tellingMin = 2;
/** The next tick, also where this one was late. */
const atOnceMs = tickMs / 2;
const blindEveryMs = 20_000;
const silentAfterMs = 1_500;
/** What was so long ago says nothing about now. */
const staleMs = 30_000;

/**
 * The share that a scout loses where all cores are taken beside it: by others who want what our workers leave, or where these leave nothing by one
 * other thread. Less is no other program in our way: systems wake our own workers on the scout's core while another one is idle.
 */
const ofFull = ({ cores, running }: Room) => 1 - cores / (Math.max(cores, running + 1) + 1);

interface Look {
  /** For room for one worker more; otherwise for others beside those that run. */
  readonly forRoom: boolean;
  /** All of the processor is used, and not by our workers. */
  readonly pressed: boolean;
  /** Long enough to tell; a shorter one only raises doubts. */
  readonly counts: boolean;
  readonly ms: number;
}

export interface ForeignLoadNeeds {
  readonly clock: Clock;
  readonly machine: Machine;
  room(): Room;
  /** `window` or `taken` is another now. */
  changed(): void;
}

export class ForeignLoad {
  #state: Yielding = unhindered;
  #active = false;
  #tick: Cancel | undefined;
  #scouting = false;
  #scoutedAt = -Infinity;
  #doubts = 0;
  /** Of the scouts since doubts began, those that lost what another program takes. */
  #telling = 0;
  #probedAt = -Infinity;
  #leftAt = -Infinity;
  /** When the first of those that run began; undefined while none does. */
  #workingSince: number | undefined;
  #told: number | null = null;

  constructor(private readonly needs: ForeignLoadNeeds) {}

  get window(): number {
    return this.#state.window;
  }
  get why(): Yielding['why'] {
    return this.#state.why;
  }

  /** In tenths; null while nothing is measured. */
  get taken(): number | null {
    const { ranMs, lostMs, evidenceAtMs } = this.#state;
    const { cores, running } = this.needs.room();
    if (ranMs === 0 || this.needs.clock.now() - evidenceAtMs > 2 * silentAfterMs) return null;
    return Math.round(10 * takenByOthers(ranMs, lostMs, running, cores)) / 10;
  }

  /** While work runs, or would but for others. */
  active(on: boolean): void {
    if (on === this.#active) return;
    this.#active = on;
    const now = this.needs.clock.now();
    if (on) {
      if (now - this.#leftAt > staleMs) this.#state = unhindered;
      this.#probedAt = now;
      this.#next();
      return;
    }
    this.#leftAt = now;
    this.#tick?.();
    this.#tick = undefined;
  }

  /** The person would have it otherwise: nothing is held back for others. */
  reset(): void {
    this.#state = unhindered;
  }

  /** A probe of one worker. */
  probe(reading: ProbeReading): void {
    if (!this.#active) return;
    const atMs = this.needs.clock.now();
    this.#probedAt = atMs;
    const room = this.needs.room();
    if (this.#isStarting(room, atMs)) return;
    // What a worker lost once it may lose by chance, and a scout tells at once whether it was.
    if (reading.gaps > 0) this.#doubts = Math.max(1, this.#doubts);
    this.#become(probed(this.#state, { ...reading, atMs, ownThreads: Math.max(1, room.running) }, room));
  }

  /** The page was slow to respond. */
  slow(ms: number): void {
    // A hidden page is slowed down by the browser, not by us.
    if (this.#active && this.needs.machine.visible()) this.#become(lagged(this.#state, this.needs.clock.now(), ms, this.needs.room()));
  }

  #isStarting({ running }: Room, now: number): boolean {
    if (running === 0) this.#workingSince = undefined;
    else this.#workingSince ??= now;
    return now - (this.#workingSince ?? -Infinity) < startingMs;
  }

  #next(): void {
    const due = this.needs.clock.now() + tickMs;
    this.#tick = this.needs.clock.after(tickMs, () => {
      this.#next();
      this.slow(this.needs.clock.now() - due);
      void this.#scout();
      if (this.taken !== this.#told) this.#tell();
    });
  }

  async #scout(): Promise<void> {
    const { clock, machine } = this.needs;
    if (this.#scouting) return;
    const look = this.#lookDue(clock.now(), this.needs.room());
    if (look === undefined) return;
    this.#scouting = true;
    this.#scoutedAt = clock.now();
    try {
      const reading = (await machine.scout?.(look.ms)) ?? (look.forRoom ? this.#blind(look.ms) : undefined);
      if (reading !== undefined && this.#active) this.#saw(look, reading, clock.now(), this.needs.room());
    } finally {
      this.#scouting = false;
    }
  }

  #lookDue(now: number, room: Room): Look | undefined {
    const since = now - this.#scoutedAt;
    const roomMs = roomScoutMs(this.needs.machine.cores);
    if (this.#state.window < room.full) {
      // Room that is found sooner is not taken; what is found is looked at once more, at once and for longer.
      if (now - this.#state.shedAtMs < this.#state.holdMs) return undefined;
      const found = this.#state.clears > 0;
      return since < (found ? atOnceMs : roomEveryMs)
        ? undefined
        : { forRoom: true, pressed: false, counts: true, ms: found ? 2 * roomMs : roomMs };
    }
    if (room.running === 0 || this.#isStarting(room, now)) return undefined;
    const spared = room.running < room.cores;
    const pressed = isOthersPressure(this.needs.machine.signals?.().pressure ?? null, room.running, room.cores);
    const doubted = this.#doubts > 0 || pressed;
    const silent = now - this.#probedAt > silentAfterMs;
    const calmMs = silent ? silentEveryMs : spared ? sparedEveryMs : witnessEveryMs;
    if (since < (doubted ? atOnceMs : calmMs)) return undefined;
    return { forRoom: false, pressed, counts: doubted || spared, ms: doubted ? roomMs : spared ? sparedScoutMs : witnessScoutMs };
  }

  #saw({ forRoom, pressed, counts }: Look, reading: ProbeReading, atMs: number, room: Room): void {
    if (forRoom) {
      this.#doubts = this.#telling = 0;
      return this.#become(scouted(this.#state, { ...reading, atMs, ownThreads: room.running + 1 }, room));
    }
    // Each alone may be our own doing; a processor that is full without us, and a scout that has to wait, are not.
    if (pressed && reading.gaps > 0) return this.#become(crowded(this.#state, atMs, room));
    this.#doubts = reading.gaps > 0 && this.#doubts < doubtsMax ? this.#doubts + 1 : 0;
    if (this.#doubts === 0) this.#telling = 0;
    if (counts && reading.lostMs >= ofFull(room) * reading.ranMs && ++this.#telling >= tellingMin)
      this.#become(crowded(this.#state, atMs, room));
  }

  /** Where nothing can be measured, one more is tried now and then. */
  #blind(ms: number): ProbeReading | undefined {
    return this.needs.clock.now() - this.#state.shedAtMs < blindEveryMs ? undefined : { ranMs: ms, lostMs: 0, gaps: 0 };
  }

  #become(next: Yielding): void {
    const before = this.#state;
    this.#state = next;
    if (before.window !== next.window || before.why !== next.why) this.#tell();
  }

  #tell(): void {
    this.#told = this.taken;
    this.needs.changed();
  }
}
