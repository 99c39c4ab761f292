// When the next function may be asked for: a claim in vain costs the holders that were asked something, so after one there is a pause. Where nothing
// waited it is a longer one, which something that becomes claimable ends: almost at once where nobody was asked, as when a job is known before its functions.
import type { Cancel, Clock } from '../../platform.ts';

/** After a claim in vain: whatever is or becomes claimable may be asked for, but no sooner. */
export const vainPauseMs = 60;
/** After one for which nobody was asked. */
export const cheapPauseMs = 10;
/** Where nothing waited, unless something comes. */
export const nothingPauseMs = 250;

export class ClaimPace {
  #soonest = -Infinity;
  #until = -Infinity;
  /**
   * Nothing waited. Where others were asked, nothing that came has ended the pause before this one either: what comes may not be for this tab.
   */
  #mayEnd = false;
  #ended = false;
  #timer: Cancel | undefined;

  /** `go` is called when a pause that `ready` found is over. */
  constructor(
    private readonly clock: Clock,
    private readonly go: () => void,
  ) {}

  /** A claim was in vain; `waiting`: functions that could be claimed then, `tried`: there was one before. undefined: nobody knows. */
  vain(found: { readonly waiting: number; readonly tried: boolean } | undefined): void {
    const now = this.clock.now();
    const cheap = found?.tried === false;
    // Asked for at the same time, another may have cost more.
    this.#soonest = Math.max(this.#soonest, now + (cheap ? cheapPauseMs : vainPauseMs));
    this.#until = now + (found !== undefined && found.waiting > 0 ? vainPauseMs : nothingPauseMs);
    this.#mayEnd = found?.waiting === 0 && (cheap || !this.#ended);
    this.#ended = false;
  }

  claimed(): void {
    this.#ended = false;
  }

  /** So many may be claimable now. Who calls this asks `ready` again. */
  heard(waiting: number): void {
    if (waiting === 0 || !this.#mayEnd || this.#until <= this.#soonest) return;
    this.#mayEnd = false;
    this.#ended = true;
    this.#until = this.#soonest;
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
