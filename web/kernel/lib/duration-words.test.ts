import { expect, test } from 'vitest';
import { durationWords } from './duration-words.ts';

test.each([
  [1, '1 millisecond'],
  [1_000, '1 second'],
  [90_000, '1.5 minutes'],
  [3_600_000, '1 hour'],
  [100 * 86_400_000, '100 days'],
])('%d ms are %s', (ms, words) => {
  expect(durationWords(ms)).toBe(words);
});
