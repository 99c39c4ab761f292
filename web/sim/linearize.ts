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
  /** Equal for equal states. */
  key(state: State): string;
}

export type Verdict<Op> =
  | { readonly kind: 'linearizable' }
  /** `stuck`: the longest explained part ends before one of these. */
  | { readonly kind: 'violated'; readonly explained: readonly Op[]; readonly stuck: readonly Op[] }
  /** The search was given up after `configurationsMax`. */
  | { readonly kind: 'unknown' };

export const configurationsMax = 20_000;

/** Exponential at worst in the number of operations that overlap, linear in those that do not. */
export function checkLinearizable<Op, State>(model: Model<Op, State>, history: readonly Operation<Op>[]): Verdict<Op> {
  const operations = history.toSorted((a, b) => a.call - b.call);
  const done = new Uint8Array(operations.length);
  const seen = new Set<string>();
  const order: number[] = [];
  let best: number[] = [];
  let left = operations.filter(({ returned }) => returned !== Infinity).length;
  let configurations = 0;

  /** Those that may come next: called before anything not done yet has returned. */
  const candidates = (): number[] => {
    let firstReturn = Infinity;
    for (const [i, { returned, call }] of operations.entries()) {
      if (call > firstReturn) break;
      if (done[i] === 0) firstReturn = Math.min(firstReturn, returned);
    }
    const found: number[] = [];
    for (const [i, { call }] of operations.entries()) {
      if (call > firstReturn) break;
      if (done[i] === 0) found.push(i);
    }
    return found;
  };

  const search = (state: State): boolean | undefined => {
    if (left === 0) return true;
    const key = `${doneKey(done)} ${model.key(state)}`;
    if (seen.has(key)) return false;
    seen.add(key);
    if (++configurations > configurationsMax) return undefined;
    const steps = candidates().map((i) => ({
      i,
      next: model.step(state, operations[i]!.op),
      counts: operations[i]!.returned === Infinity ? 0 : 1,
    }));
    // What changes nothing may as well come now, and what changes nothing and was not answered need not come at all.
    const idle = steps.find(({ next, counts }) => next === state && counts === 1);
    for (const { i, next, counts } of idle === undefined ? steps : [idle]) {
      if (next === undefined || (next === state && counts === 0)) continue;
      done[i] = 1;
      left -= counts;
      order.push(i);
      if (order.length > best.length) best = order.slice();
      const found = search(next);
      if (found !== false) return found;
      order.pop();
      left += counts;
      done[i] = 0;
    }
    return false;
  };

  const found = search(model.initial);
  if (found === true) return { kind: 'linearizable' };
  if (found === undefined) return { kind: 'unknown' };
  const explained = new Set(best);
  return {
    kind: 'violated',
    explained: best.map((i) => operations[i]!.op),
    stuck: operations.filter(({ returned }, i) => !explained.has(i) && returned !== Infinity).map(({ op }) => op),
  };
}

/** Leading operations that are done are only counted: long histories have short keys. */
function doneKey(done: Uint8Array): string {
  let prefix = 0;
  while (prefix < done.length && done[prefix] === 1) prefix++;
  let last = done.length;
  while (last > prefix && done[last - 1] === 0) last--;
  return `${prefix}:${done.subarray(prefix, last).join('')}`;
}
