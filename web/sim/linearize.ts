// Is a history of overlapping operations on one object explained by some order of them, each at one instant between its call and its
// return (Herlihy and Wing 1990)? The search is Wing and Gong's (1993) with Lowe's memory of configurations seen (2017): a set of operations
// done and the state they led to is looked at once.

export interface Operation<Op> {
  readonly op: Op;
  /** Its place in the order of all calls and returns. */
  readonly call: number;
  /** Infinity where no answer came: it may take effect at any later time, or never. */
  readonly returned: number;
}

export interface Model<Op, State> {
  readonly initial: State;
  /** The state after `op` with the answer it gave (`state` itself where it changes nothing), or undefined where it cannot have given it in `state`. */
  step(state: State, op: Op): State | undefined;
  /** It never changes any state: its answer is right in a state, or it is not. */
  looks(op: Op): boolean;
  /** Equal for equal states. */
  key(state: State): string;
}

export type Verdict<Op> =
  | { readonly kind: 'linearizable' }
  /** `stuck`: the longest explained part ends before one of these. */
  | { readonly kind: 'violated'; readonly explained: readonly Op[]; readonly stuck: readonly Op[] }
  /** The search was given up: too much overlaps. */
  | { readonly kind: 'unknown' };

/** Further configurations looked at for each operation of the history: what does not overlap needs one. */
export const configurationsPerOperation = 10;
export const configurationsMax = 20_000;

const none = -1;

/** Exponential at worst in the number of operations that overlap, linear in those that do not. */
export function checkLinearizable<Op, State>(model: Model<Op, State>, history: readonly Operation<Op>[]): Verdict<Op> {
  const answered = history.filter(({ returned }) => returned !== Infinity).toSorted((a, b) => a.call - b.call);
  const unanswered = unansweredOf(history);
  const pending = new Pending(answered.length);
  const seen = new Set<string>();
  const order: Op[] = [];
  let best: readonly Op[] = [];
  let stuck: readonly Op[] = answered.map(({ op }) => op);
  const most = configurationsMax + configurationsPerOperation * history.length;

  /** Those that may come next, called before anything not done yet has returned, and what each leads to; none where this was looked at before. */
  const steps = (state: State): Step<Op, State>[] => {
    const key = `${pending.key} ${unanswered.map(({ taken }) => taken).join()} ${model.key(state)}`;
    if (seen.has(key)) return [];
    seen.add(key);
    const found: Step<Op, State>[] = [];
    let firstReturn = Infinity;
    for (let i = pending.first; i !== none; i = pending.after(i)) {
      const { op, call, returned } = answered[i]!;
      if (call > firstReturn) break;
      firstReturn = Math.min(firstReturn, returned);
      const next = model.step(state, op);
      if (next === undefined) continue;
      const step = { op, next, i, of: undefined };
      // What only looks at the state, and finds it right, may as well come now.
      if (model.looks(op)) return [step];
      found.push(step);
    }
    for (const of of unanswered) {
      const call = of.calls[of.taken];
      if (call === undefined || call > firstReturn) continue;
      const next = model.step(state, of.op);
      // What changes nothing and was not answered need not come at all.
      if (next !== undefined && next !== state) found.push({ op: of.op, next, i: none, of });
    }
    return found;
  };
  const take = ({ op, i, of }: Step<Op, State>) => {
    if (of === undefined) pending.take(i);
    else of.taken++;
    order.push(op);
  };
  const undo = ({ i, of }: Step<Op, State>) => {
    if (order.length > best.length) [best, stuck] = [order.slice(), pending.left().map((left) => answered[left]!.op)];
    order.pop();
    if (of === undefined) pending.putBack(i);
    else of.taken--;
  };

  // By hand and not by recursion: a history may be longer than a stack is deep.
  const frames: { readonly steps: readonly Step<Op, State>[]; at: number }[] = [{ steps: steps(model.initial), at: 0 }];
  while (pending.first !== none) {
    const frame = frames.at(-1);
    if (frame === undefined) return { kind: 'violated', explained: best, stuck };
    if (frame.at > 0) undo(frame.steps[frame.at - 1]!);
    const step = frame.steps[frame.at++];
    if (step === undefined) {
      frames.pop();
      continue;
    }
    take(step);
    if (seen.size >= most) return { kind: 'unknown' };
    frames.push({ steps: steps(step.next), at: 0 });
  }
  return { kind: 'linearizable' };
}

interface Step<Op, State> {
  readonly op: Op;
  readonly next: State;
  /** Its place among the answered ones, or the kind of unanswered ones it is of. */
  readonly i: number;
  readonly of: Unanswered<Op> | undefined;
}

/** Equal requests that nobody answered: one is as good as another, so the earliest goes first. */
interface Unanswered<Op> {
  readonly op: Op;
  readonly calls: readonly number[];
  taken: number;
}

function unansweredOf<Op>(history: readonly Operation<Op>[]): Unanswered<Op>[] {
  const groups = new Map<string, { op: Op; calls: number[]; taken: number }>();
  for (const { op, call, returned } of history) {
    if (returned !== Infinity) continue;
    const key = JSON.stringify(op);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { op, calls: [call], taken: 0 });
    else group.calls.push(call);
  }
  return [...groups.values()].map((group) => ({ ...group, calls: group.calls.toSorted((a, b) => a - b) }));
}

/** Operations not done yet, in their order: a linked list out of which one is taken, and into which the one taken last is put back, in one step. */
class Pending {
  /** By place, one more than the operation's: 0 stands for the list itself. */
  readonly #next: Int32Array;
  readonly #before: Int32Array;
  /** Sums of numbers that look random, one of each that was taken (Zobrist 1970): unequal sets have equal sums by a chance of 2^-64. */
  #high = 0;
  #low = 0;

  constructor(count: number) {
    this.#next = Int32Array.from({ length: count + 1 }, (_, place) => (place + 1) % (count + 1));
    this.#before = Int32Array.from({ length: count + 1 }, (_, place) => (place + count) % (count + 1));
  }

  /** Equal for equal sets. */
  get key(): string {
    return `${this.#high},${this.#low}`;
  }

  get first(): number {
    return this.after(none);
  }

  after(i: number): number {
    return this.#next[i + 1]! - 1;
  }

  take(i: number): void {
    const [before, next] = [this.#before[i + 1]!, this.#next[i + 1]!];
    this.#next[before] = next;
    this.#before[next] = before;
    this.#sum(i);
  }

  /** Only the one that was taken last of those not put back: its neighbours are as it left them. */
  putBack(i: number): void {
    this.#next[this.#before[i + 1]!] = i + 1;
    this.#before[this.#next[i + 1]!] = i + 1;
    this.#sum(i);
  }

  left(): number[] {
    const found: number[] = [];
    for (let i = this.first; i !== none; i = this.after(i)) found.push(i);
    return found;
  }

  #sum(i: number): void {
    this.#high ^= scattered(i + 1);
    this.#low ^= scattered(~i);
  }
}

/** 32 bits that change by half with each bit of `value` (Murmur 3's finish). */
function scattered(value: number): number {
  let bits = Math.imul(value, 0x9e3779b1);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
