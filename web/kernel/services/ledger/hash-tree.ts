// A hash tree (Merkle) over what is held of all jobs, by the digits of their ids: two members find the few jobs they hold unlike sets of by asking
// from the root down, however many they hold. `Book.known` is kept up with every event and so is a sum, XOR; whoever signs some hundred events
// can choose among them so that unlike sets have equal sums (256 linear equations over GF(2)). Here the clocks tell such sets apart.
import { concatBytes } from '../../lib/bytes.ts';
import { encodeWire } from '../../lib/wire-codec.ts';
import type { Digest } from '../../platform.ts';
import { hashBytesOfNode, nodeChildren } from '../../protocol/contracts/ledger.ts';
import type { Book } from './book.ts';
import type { JobLog } from './job-log.ts';

interface Leaf {
  /** What the job's events were then. */
  readonly of: string;
  readonly hash: Uint8Array;
}

/** Whoever asks chooses the prefix. */
const nodesKeptMax = 512;

export class HashTree {
  readonly #leaves = new WeakMap<JobLog, Leaf>();
  /** As of `#changes`. */
  readonly #nodes = new Map<string, Promise<Uint8Array>>();
  #changes = -1;

  constructor(
    private readonly digest: Digest,
    private readonly book: Book,
  ) {}

  /** For each next digit the first `hashBytesOfNode` bytes of SHA-256 over all jobs whose ids begin with `prefix` and it; 0 where there are none. */
  children(prefix: string): Promise<Uint8Array> {
    if (this.#changes !== this.book.changes || this.#nodes.size >= nodesKeptMax) this.#nodes.clear();
    this.#changes = this.book.changes;
    let node = this.#nodes.get(prefix);
    if (node === undefined) this.#nodes.set(prefix, (node = this.#childrenOf(prefix)));
    return node;
  }

  /** The digits at which another's children of `prefix` are not those here. */
  async unlike(prefix: string, theirs: Uint8Array): Promise<string[]> {
    const ours = await this.children(prefix);
    const digits: string[] = [];
    for (let digit = 0; digit < nodeChildren; digit++) {
      const at = hashBytesOfNode * digit;
      if (ours.subarray(at, at + hashBytesOfNode).some((byte, i) => byte !== theirs[at + i])) digits.push(digit.toString(nodeChildren));
    }
    return digits;
  }

  async #childrenOf(prefix: string): Promise<Uint8Array> {
    const children = new Uint8Array(hashBytesOfNode * nodeChildren);
    await Promise.all(
      Array.from({ length: nodeChildren }, async (_, digit) => {
        const logs = this.book.under(prefix + digit.toString(nodeChildren));
        if (logs.length === 0) return;
        const leaves = await Promise.all(logs.map((log) => this.#leaf(log)));
        const node = await this.digest.sha256(concatBytes(leaves));
        children.set(node.subarray(0, hashBytesOfNode), hashBytesOfNode * digit);
      }),
    );
    return children;
  }

  /** Of the clock, and of the digest, by which forks show: there two events have one number. */
  async #leaf(log: JobLog): Promise<Uint8Array> {
    const of = `${log.digest} ${log.size}`;
    const made = this.#leaves.get(log);
    if (made?.of === of) return made.hash;
    const hash = await this.digest.sha256(encodeWire([log.id, log.clock.toRecord(), log.digest]));
    this.#leaves.set(log, { of, hash });
    return hash;
  }
}
