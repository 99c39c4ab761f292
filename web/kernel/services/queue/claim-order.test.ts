import { describe, expect, it } from 'vitest';
import { jobId, peerId, recordId, storeId } from '../../lib/ids.ts';
import { RecordBook, recordsPerJobOfOneMax, tombstonesMax, type KeptRecord } from './book.ts';
import { chooseNext, claimWindow, Deferrals, turnAfter, turnMs, verdictOf } from './claim-order.ts';

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');
const job = jobId(hex(7, 64));
const peers = Array.from({ length: 5 }, (_, n) => peerId(`${hex(n, 32)}-${hex(n, 16)}`));
const entry = (n: number, lineage = 'a.1', id = n, charged = 'somebody'): KeptRecord => ({
  id: recordId(hex(id, 64)),
  record: { job, lineage, round: 0, range: [n, n + 1], k: 1, holders: [storeId(hex(1, 32))] },
  slice: null,
  charged,
});
const always = () => true;

describe('the room of a job', () => {
  it('is not for one identity alone', () => {
    const book = new RecordBook();
    for (let n = 0; n < recordsPerJobOfOneMax; n++) book.add(entry(n));
    expect(book.hasRoom(job, 'somebody')).toBe(false);
    expect(book.hasRoom(job, 'another')).toBe(true);
    book.remove(entry(0).id, true);
    expect(book.hasRoom(job, 'somebody')).toBe(true);
  });
});

describe('the next function', () => {
  const queue = Array.from({ length: 40 }, (_, n) => entry(n));

  it('is the first free one where one claims', () => {
    expect(chooseNext(queue, always, peers[0]!, [peers[0]!])).toBe(queue[0]);
    expect(chooseNext(queue, ({ id }) => id !== queue[0]!.id, peers[0]!, [peers[0]!])).toBe(queue[1]);
  });

  it('is inside the window, and mostly another for each of many', () => {
    const chosen = peers.map((self) => chooseNext(queue, always, self, peers)!.record.range[0]);
    for (const first of chosen) expect(first).toBeLessThan(claimWindow(peers.length));
    expect(new Set(chosen).size).toBeGreaterThanOrEqual(3);
  });

  it('is asked for by one alone while it is new, by more with every turn, and soon by anybody', () => {
    const [only] = queue;
    const asking = (freeMs: number) =>
      peers.filter((self) => chooseNext([only!], always, self, peers, () => turnAfter(freeMs)) !== undefined).length;
    expect([0, turnMs, 2 * turnMs].map(asking)).toEqual([1, 2, 3]);
    expect(turnAfter(10 * turnMs)).toBe(Infinity);
  });

  it('is none where none is free', () => {
    expect(chooseNext(queue, () => false, peers[0]!, peers)).toBeUndefined();
  });
});

describe('a vote', () => {
  const vote = (granted: number, pending: number, slices = granted) =>
    verdictOf({ holders: 3, k: 1, granted, slices, read: slices > 0, pending });
  it('is won by a majority with enough slices, lost when no majority can come, open in between', () => {
    expect(vote(2, 1)).toBe('owned');
    expect(vote(1, 1)).toBe('open');
    expect(vote(1, 0)).toBe('refused');
    expect(vote(0, 1)).toBe('refused');
    expect(vote(2, 0, 0)).toBe('refused');
    expect(vote(2, 1, 0)).toBe('open');
  });

  it('needs a majority and a body: slices that make none are not enough, however many came', () => {
    const coded = (granted: number, read: boolean, pending: number) =>
      verdictOf({ holders: 6, k: 2, granted, slices: granted, read, pending });
    expect(coded(3, true, 3)).toBe('open');
    expect(coded(3, true, 0)).toBe('refused');
    expect(coded(4, true, 0)).toBe('owned');
    expect(coded(4, false, 2)).toBe('open');
    expect(coded(6, false, 0)).toBe('unreadable');
  });
});

describe('whose records lead to nothing', () => {
  it('comes last for a while, longer each time, until one of its records is had', () => {
    const deferrals = new Deferrals();
    deferrals.failed('junk', 0);
    for (let n = 0; n < 5; n++) deferrals.failed('junk', 10 + n); // one round of tries
    expect(deferrals.isDeferred('junk', 900)).toBe(true);
    expect(deferrals.isDeferred('junk', 1_100)).toBe(false);
    deferrals.failed('junk', 1_100);
    expect(deferrals.isDeferred('junk', 3_000)).toBe(true);
    for (let at = 10_000; at < 500_000; at += 40_000) deferrals.failed('junk', at);
    deferrals.failed('junk', 500_000);
    expect(deferrals.isDeferred('junk', 531_000)).toBe(false); // bounded
    deferrals.failed('junk', 600_000);
    deferrals.succeeded('junk');
    expect(deferrals.isDeferred('junk', 600_001)).toBe(false);
  });

  it('takes turns with others in the same case', () => {
    const deferrals = new Deferrals();
    deferrals.failed('a', 0);
    deferrals.failed('b', 1);
    expect(deferrals.inTurn(2)).toEqual(['a', 'b']);
    deferrals.failed('a', 2);
    expect(deferrals.inTurn(3)).toEqual(['b', 'a']);
  });
});

describe('the book of records', () => {
  it('keeps a job in order of items, then of lineages, however records come', () => {
    const book = new RecordBook();
    const entries = [entry(5), entry(1), entry(3, 'b.1', 30), entry(3, 'a.2', 31), entry(0)];
    for (const one of entries) book.add(one);
    book.add(entries[0]!);
    expect(book.ofJob(job).map(({ record }) => `${record.range[0]}${record.lineage}`)).toEqual(['0a.1', '1a.1', '3a.2', '3b.1', '5a.1']);
    book.remove(entries[2]!.id, false);
    expect(book.ofJob(job).map(({ id }) => id)).not.toContain(entries[2]!.id);
    expect(book.size).toBe(4);
  });

  it('has no two functions of one lineage for the same items, and believes the author of a lineage before others', () => {
    const author = `${hex(3, 32)}-${hex(1, 16)}`;
    const wide = (from: number, to: number, charged: string): KeptRecord => {
      const one = entry(from, `${author}.1`, 100 * from + to, charged);
      return { ...one, record: { ...one.record, range: [from, to] } };
    };
    const book = new RecordBook();
    const hearsay = hex(9, 64);
    const own = hex(3, 32) + hex(0, 32);
    expect(book.add(wide(0, 10, hearsay))).toBe(true);
    expect(book.add(wide(10, 20, hearsay))).toBe(true);
    expect(book.add(wide(5, 15, hearsay))).toBe(false);
    expect(book.add(entry(7, 'another', 7))).toBe(true);
    expect(book.add(wide(5, 15, own))).toBe(true);
    expect(book.add(wide(14, 30, own))).toBe(false);
    expect(book.add(wide(15, 30, hearsay))).toBe(true);
    expect(book.ofJob(job).map(({ record }) => record.range)).toEqual([
      [5, 15],
      [7, 8],
      [15, 30],
    ]);
  });

  it('remembers a bounded number of the ended', () => {
    const book = new RecordBook();
    for (let n = 0; n <= tombstonesMax; n++) book.remove(entry(n).id, true);
    expect(book.hasEnded(entry(0).id)).toBe(false);
    expect(book.hasEnded(entry(1).id)).toBe(true);
  });

  it('gives pages by id of the jobs asked for', () => {
    const book = new RecordBook();
    for (let n = 9; n >= 0; n--) book.add(entry(n));
    const first = book.page(null, 4, always);
    expect(first.map(({ record }) => record.range[0])).toEqual([0, 1, 2, 3]);
    expect(book.page(first.at(-1)!.id, 4, always).map(({ record }) => record.range[0])).toEqual([4, 5, 6, 7]);
    expect(book.page(null, 4, () => false)).toEqual([]);
  });
});
