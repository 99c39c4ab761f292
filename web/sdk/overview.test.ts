import { describe, expect, it } from 'vitest';
import { joinNeighbours, layOver, overviewSpansMax } from './overview.ts';
import type { Span } from './types.ts';

const span = (first: number, end: number, state: Span['state'] = 'committed', by = 'ann'): Span => ({ range: [first, end], state, by });

describe('the overview of a job', () => {
  it('shows claims only where nothing is decided yet, in order and without overlap', () => {
    const decided = [span(2, 4), span(6, 7, 'failed')];
    expect(layOver(decided, [span(0, 3, 'claimed', 'bob'), span(3, 8, 'claimed', 'cid'), span(7, 9, 'claimed', 'bob')])).toEqual([
      span(0, 2, 'claimed', 'bob'),
      span(2, 4),
      span(4, 6, 'claimed', 'cid'),
      span(6, 7, 'failed'),
      span(7, 8, 'claimed', 'cid'),
      span(8, 9, 'claimed', 'bob'),
    ]);
  });

  it('joins neighbours of one state and author', () => {
    expect(joinNeighbours([span(0, 1), span(1, 2), span(2, 3, 'committed', 'bob'), span(4, 5, 'committed', 'bob')])).toEqual([
      span(0, 2),
      span(2, 3, 'committed', 'bob'),
      span(4, 5, 'committed', 'bob'),
    ]);
  });

  it('names nobody for runs of several authors where there are too many to show', () => {
    const many = Array.from({ length: overviewSpansMax + 1 }, (_, n) => span(n, n + 1, 'committed', n % 2 === 0 ? 'ann' : 'bob'));
    expect(joinNeighbours(many)).toEqual([span(0, overviewSpansMax + 1, 'committed', '')]);
  });
});
