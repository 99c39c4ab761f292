import { expect, test } from 'vitest';
import { blameError, verdictOn } from './blame.ts';

test('a first death leads to a closer watch, not to blame', () => {
  for (const cause of ['item-time', 'flood', 'garbled'] as const)
    expect(verdictOn(cause, { careful: false, alone: false })).toEqual({ blamed: false, watch: { careful: true, alone: false } });
});

test('an item that takes its sandbox down under watch is blamed', () => {
  for (const cause of ['item-time', 'flood', 'garbled'] as const)
    expect(verdictOn(cause, { careful: true, alone: false }).blamed).toBe(true);
});

test('a frame that went silent proves nothing until it ran alone', () => {
  expect(verdictOn('unresponsive', { careful: false, alone: false })).toEqual({ blamed: false, watch: { careful: true, alone: true } });
  expect(verdictOn('unresponsive', { careful: true, alone: false }).blamed).toBe(false);
  expect(verdictOn('unresponsive', { careful: true, alone: true }).blamed).toBe(true);
});

test('the submitter reads why in plain words', () => {
  expect(blameError('item-time', 7, 1_500, '').message).toBe('The item took longer than 1.5 s.');
});
