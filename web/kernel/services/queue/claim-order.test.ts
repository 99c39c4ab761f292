import { describe, expect, it } from 'vitest';
import { jobId, peerId, recordId, storeId } from '../../lib/ids.ts';
import { RecordBook, recordsPerJobOfOneMax, tombstonesMax, type KeptRecord } from './book.ts';
import { chooseNext, claimWindow, verdictOf } from './claim-order.ts';

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');
const job = jobId(hex(7, 64));
const peers = Array.from({ length: 5 }, (_, n) => peerId(`${hex(n, 32)}-${hex(n, 16)}`));
const entry = (n: number, lineage = 'a.1', id = n): KeptRecord => ({
  id: recordId(hex(id, 64)),
  record: { v: 1, job, lineage, round: 0, range: [n, n + 1], k: 1, holders: [storeId(hex(1, 32))] },
  bytes: new Uint8Array(),
  charged: 'somebody',
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

  it('is none where none is free', () => {
    expect(chooseNext(queue, () => false, peers[0]!, peers)).toBeUndefined();
  });
});

describe('a vote', () => {
  const vote = (granted: number, pending: number, slices = granted) => verdictOf({ holders: 3, k: 1, granted, slices, pending });
  it('is won by a majority with enough slices, lost when no majority can come, open in between', () => {
    expect(vote(2, 1)).toBe('owned');
    expect(vote(1, 1)).toBe('open');
    expect(vote(1, 0)).toBe('refused');
    expect(vote(0, 1)).toBe('refused');
    expect(vote(2, 0, 0)).toBe('refused');
    expect(vote(2, 1, 0)).toBe('open');
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
