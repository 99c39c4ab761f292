// Which input the items of an open job mean: appends, each behind the one before it, from the manifest's own input on.
//
//   manifest <- append <- append <- close          two tabs of the submitter may append behind the same one: a tree of which one
//                      \<- append (loses)          path counts
//
// Among several behind one, in any order of arrival: the one whose results, or those of what follows it, the submitter has taken; then
// the lowest version, because whoever knew of another took a higher one; then the smallest event id. An append goes before a close:
// what was appended should not be lost because somebody closed without knowing of it. Whoever loses appends, or closes, again.
import type { EventId } from '../../lib/ids.ts';
import { jobItemsMax } from '../../limits.ts';
import type { InputPart, JobManifest } from '../../protocol/job-manifest.ts';
import type { Setting } from './settings.ts';

interface Node {
  readonly id: EventId;
  readonly version: number;
  readonly after: EventId | null;
  /** null where it closes the job. */
  readonly part: InputPart | null;
}

export class Chain {
  readonly #nodes = new Map<EventId, Node>();
  readonly #behind = new Map<EventId | null, Node[]>();
  /** Parts of which the submitter has taken results. */
  readonly #taken = new Set<EventId>();
  #parts: readonly InputPart[];
  #open: boolean;

  constructor(manifest: JobManifest) {
    this.#parts = [{ part: null, first: 0, input: manifest.input }];
    this.#open = manifest.open === true;
  }

  /** The parts that count, in order, without gaps; at least the manifest's own. */
  get parts(): readonly InputPart[] {
    return this.#parts;
  }

  /** More may be appended. */
  get open(): boolean {
    return this.#open;
  }

  get tail(): EventId | null {
    return this.#parts.at(-1)!.part;
  }

  get items(): number {
    return endOf(this.#parts.at(-1)!);
  }

  /** Takes an append or a close, as it has passed checks.ts: the job is an open one. */
  add(id: EventId, { version, append, close }: Setting): void {
    const nodes: Node[] = [];
    if (append !== undefined)
      nodes.push({ id, version, after: append.after, part: { part: id, first: append.first, input: append.input } });
    // One event may append and close: then it closes behind what it appended.
    if (close !== undefined) nodes.push({ id, version, after: append === undefined ? close.after : id, part: null });
    for (const node of nodes) {
      if (node.part !== null) this.#nodes.set(id, node);
      const behind = this.#behind.get(node.after);
      if (behind === undefined) this.#behind.set(node.after, [node]);
      else behind.push(node);
    }
    if (nodes.length > 0) this.#walk();
  }

  /** The submitter has taken a result of this part. */
  take(part: EventId): void {
    if (this.#taken.has(part)) return;
    this.#taken.add(part);
    if (!this.#parts.some((each) => each.part === part)) this.#walk();
  }

  #walk(): void {
    const taken = this.#withTakenBehind();
    const order = (a: Node, b: Node) =>
      Number(taken.has(b.id)) - Number(taken.has(a.id)) || a.version - b.version || (a.id < b.id ? -1 : 1);
    const parts: InputPart[] = [this.#parts[0]!];
    for (;;) {
      const last = parts.at(-1)!;
      const behind = this.#behind.get(last.part) ?? [];
      const [next] = behind.filter(({ part }) => part !== null && follows(part, last)).toSorted(order);
      if (next === undefined) {
        this.#open = !behind.some(({ part }) => part === null);
        break;
      }
      parts.push(next.part!);
    }
    this.#parts = parts;
  }

  /** The parts taken from, and all before them. */
  #withTakenBehind(): ReadonlySet<EventId> {
    const all = new Set<EventId>();
    for (const taken of this.#taken) {
      for (let at: EventId | null = taken; at !== null && !all.has(at); at = this.#nodes.get(at)?.after ?? null) all.add(at);
    }
    return all;
  }
}

export const endOf = ({ first, input }: InputPart) => first + input.items;

/** One that was written for another place than this, or for more items than a job has, counts nowhere. */
const follows = (part: InputPart, before: InputPart) => part.first === endOf(before) && endOf(part) <= jobItemsMax;
