import { describe, expect, it } from 'vitest';
import { failureGroups, type Failed } from './failure-groups.ts';

const failed = (index: number, message: string, name = 'Error', stack = ''): Failed => ({
  index,
  error: { name, message, stack, input: index },
  by: [],
  tookMs: 0,
});

describe('failures by cause', () => {
  it('are one where only numbers and quoted words differ', () => {
    const groups = failureGroups([
      failed(4, 'No field "a" in line 17.'),
      failed(5, 'Out of range'),
      failed(9, 'No field "name" in line 2044.'),
    ]);
    expect(groups.map(({ message, items }) => [message, items.map(({ index }) => index)])).toEqual([
      ['No field "a" in line 17.', [4, 9]],
      ['Out of range', [5]],
    ]);
  });
  it('are two where the kind or the line of the code differs', () => {
    expect(failureGroups([failed(0, 'x', 'TypeError'), failed(1, 'x', 'RangeError')])).toHaveLength(2);
    expect(failureGroups([failed(0, 'x', 'Error', 'at run (task:3:5)'), failed(1, 'x', 'Error', 'at run (task:8:5)')])).toHaveLength(2);
    expect(failureGroups([failed(0, 'x', 'Error', 'at run (task:3:5)'), failed(1, 'x', 'Error', 'at run (task:3:9)')])).toHaveLength(1);
  });
  it('come by their number, then by their first item', () => {
    expect(failureGroups([failed(8, 'b'), failed(3, 'a'), failed(1, 'c'), failed(9, 'b')]).map(({ message }) => message)).toEqual([
      'b',
      'c',
      'a',
    ]);
  });
});
