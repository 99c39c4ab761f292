import { describe, expect, it } from 'vitest';
import { indent } from './code-field.tsx';

describe('Tab in the code field', () => {
  it('puts two spaces at the caret', () => expect(indent('ab', 1, 1, false)).toEqual({ text: 'a  b', start: 3, end: 3 }));
  it('moves every selected line, and the selection with it', () =>
    expect(indent('a\nb\nc', 0, 3, false)).toEqual({ text: '  a\n  b\nc', start: 2, end: 7 }));
  it('takes back what is there to take back', () => {
    expect(indent('  a\n b', 2, 6, true)).toEqual({ text: 'a\nb', start: 0, end: 3 });
    expect(indent('a', 1, 1, true)).toEqual({ text: 'a', start: 1, end: 1 });
  });
});
