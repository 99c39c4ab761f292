import { describe, expect, it } from 'vitest';
import type { Receipt } from '../donate/donor-source.ts';
import { byDay, givenCsv, givenOf, sharedSentence, sinceWords } from './given.ts';

const hour = 3_600_000;
const noon = new Date(2026, 10, 21, 12).getTime();
const receipt = (changes: Partial<Receipt>): Receipt =>
  ({
    job: 'ab'.repeat(32),
    name: 'A job',
    submitter: 'ann',
    codeHash: 'cd'.repeat(32),
    firstAt: noon - hour,
    lastAt: noon,
    parts: 2,
    items: 20,
    failed: 1,
    cpuMs: 5_000,
    bytes: 100,
    verdicts: { finished: 2, stopped: 0, died: 0, unloadable: 0, 'no-data': 0 },
    ...changes,
  }) as unknown as Receipt;

describe('what was given', () => {
  it('is summed over jobs, with whose they were and since when', () => {
    const receipts = [
      receipt({}),
      receipt({ submitter: 'me' as never }),
      receipt({ submitter: 'bob' as never, firstAt: noon - 50 * hour }),
    ];
    expect(givenOf(receipts, 'me')).toEqual({
      jobs: 3,
      helped: 2,
      people: 2,
      parts: 6,
      items: 60,
      cpuMs: 15_000,
      forOthers: { parts: 4, cpuMs: 10_000 },
      bytes: 300,
      since: noon - 50 * hour,
    });
    expect(givenOf([], 'me').since).toBeNull();
  });

  it('lies on the days on which it was given, and none of it is lost between them', () => {
    const days = byDay(
      [receipt({ firstAt: noon - 24 * hour, lastAt: noon, cpuMs: 1_000 }), receipt({ firstAt: noon, lastAt: noon, cpuMs: 500 })],
      noon,
      7,
    );
    expect(days).toHaveLength(7);
    expect(days.at(-1)!.cpuMs).toBeCloseTo(1_000, 5);
    expect(days.at(-2)!.cpuMs).toBeCloseTo(500, 5);
    expect(days.reduce((sum, { cpuMs }) => sum + cpuMs, 0)).toBeCloseTo(1_500, 5);
  });

  it('is said as one would say it', () => {
    expect(sinceWords(noon - hour, noon)).toBe('since today');
    expect(sinceWords(noon - 30 * hour, noon)).toBe('since Friday');
    expect(sinceWords(new Date(2026, 2, 3).getTime(), noon)).toBe('since 3 March');
    expect(sinceWords(new Date(2025, 2, 3).getTime(), noon)).toBe('since 3 March 2025');
    expect(sharedSentence('quiet-otter', givenOf([receipt({})], 'me'))).toBe(
      'quiet-otter gave 5.0 s of quiet computer time to 1 job of other people: 2 parts computed while nobody was using the machine.',
    );
  });

  it('tells a friend of what went to others, not of one’s own jobs', () => {
    const given = givenOf([receipt({}), receipt({ submitter: 'me' as never })], 'me');
    expect(sharedSentence('quiet-otter', given)).toContain('gave 5.0 s of quiet computer time to 1 job of other people: 2 parts');
    expect(sharedSentence('quiet-otter', givenOf([receipt({ submitter: 'me' as never })], 'me'))).toContain(
      'gave 5.0 s of quiet computer time to Lull: 2 parts',
    );
  });

  it('as a table keeps names from becoming formulas', () => {
    const [, row] = givenCsv([receipt({ name: '=1+1, "x"' })]).split('\r\n');
    expect(row).toContain(`"'=1+1, ""x""",ann,`);
  });
});
