import { expect, test } from 'vitest';
import { blameError, verdictOn } from './blame.ts';

test('a first death leads to a closer watch, not to blame', () => {
  for (const cause of ['item-time', 'flood', 'garbled'] as const)
    expect(verdictOn(cause, { careful: false, alone: false }, 2)).toEqual({ blamed: false, watch: { careful: true, alone: false } });
});

test('the only item without a result is blamed at once: nobody spends its time on it again to be sure', () => {
  const watch = { careful: false, alone: false };
  for (const cause of ['item-time', 'flood', 'garbled'] as const) expect(verdictOn(cause, watch, 1)).toEqual({ blamed: true, watch });
  expect(verdictOn('unresponsive', watch, 1).blamed).toBe(false);
  expect(verdictOn('unresponsive', { careful: false, alone: true }, 1).blamed).toBe(true);
});

test('an item that takes its sandbox down under watch is blamed', () => {
  for (const cause of ['item-time', 'flood', 'garbled'] as const)
    expect(verdictOn(cause, { careful: true, alone: false }, 2).blamed).toBe(true);
});

test('a frame that went silent proves nothing until it ran alone', () => {
  expect(verdictOn('unresponsive', { careful: false, alone: false }, 2)).toEqual({ blamed: false, watch: { careful: true, alone: true } });
  expect(verdictOn('unresponsive', { careful: true, alone: false }, 2).blamed).toBe(false);
  expect(verdictOn('unresponsive', { careful: true, alone: true }, 2).blamed).toBe(true);
});

test('the submitter reads why in plain words', () => {
  expect(blameError('item-time', 7, 1_500, '').message).toBe('The item took longer than 1.5 s.');
});
