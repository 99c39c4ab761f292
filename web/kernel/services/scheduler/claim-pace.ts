// When the next function may be asked for: claims in vain cost every holder something, so after one there is a pause, which ends early
// where something becomes claimable.
import type { Cancel, Clock } from '../../platform.ts';

/** After a claim in vain: whatever is or becomes claimable may be asked for, but no sooner. */
export const vainPauseMs = 60;
/** Where nothing waited, unless something comes. */
export const nothingPauseMs = 250;

export class ClaimPace {
  #vainAt = -Infinity;
  #until = -Infinity;
  #timer: Cancel | undefined;

  /** `go` is called when a pause that `ready` found is over. */
  constructor(
    private readonly clock: Clock,
    private readonly go: () => void,
  ) {}

  /** A claim was in vain; `waiting`: functions that could be claimed then. */
  vain(waiting: number): void {
    this.#vainAt = this.clock.now();
    this.#until = this.#vainAt + (waiting > 0 ? vainPauseMs : nothingPauseMs);
  }

  /** So many may be claimable now. */
  heard(waiting: number): void {
    const soonest = this.#vainAt + vainPauseMs;
    if (waiting === 0 || this.#until <= soonest) return;
    this.#until = soonest;
    this.stop();
  }

  /** Whether to ask now; if not, `go` is called when it is time. */
  ready(): boolean {
    const waitMs = this.#until - this.clock.now();
    if (waitMs <= 0) return true;
    this.#timer ??= this.clock.after(waitMs, () => {
      this.#timer = undefined;
      this.go();
    });
    return false;
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
  }
}
