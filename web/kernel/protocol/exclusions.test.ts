import { expect, test } from 'vitest';
import { constraintsOf, constraintSentence, exclusionThere } from './exclusions.ts';
import { reasonCodes, reasonOfMany, reasonThere } from './reasons.ts';

test('members are counted by what keeps the job from them, the most first; what people call the same is one', () => {
  const codes = ['in-use', '', 'memory-low', 'in-use-elsewhere', 'job-memory', 'in-use', 'not-chosen'];
  expect(constraintsOf(codes)).toEqual([
    { members: 3, words: 'in use by their owner' },
    { members: 2, words: 'not enough memory' },
    { members: 1, words: 'their owner chose not to run it' },
  ]);
  expect(constraintSentence(constraintsOf(codes))).toBe(
    '3 members: in use by their owner; 2: not enough memory; 1: their owner chose not to run it.',
  );
});

test('one member is one member, and nobody is nothing', () => {
  expect(constraintSentence(constraintsOf(['not-donating']))).toBe('1 member: not donating.');
  expect(constraintSentence(constraintsOf(['', '']))).toBe('');
});

test('what holds all work back there is said as of any member, and a reason of a newer site is still counted', () => {
  for (const code of reasonCodes) {
    expect(exclusionThere(code)).toBe(reasonThere(code));
    expect(reasonOfMany(code)).toMatch(/^[a-z]/);
  }
  expect(exclusionThere('')).toBe('');
  expect(constraintsOf(['of-tomorrow', 'constructor'])).toEqual([{ members: 2, words: 'held back for another reason' }]);
  expect(exclusionThere('of-tomorrow')).not.toBe('');
});
