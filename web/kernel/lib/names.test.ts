import { describe, expect, it } from 'vitest';
import { groupNameOf, nameCounts, nameOf } from './names.ts';

const hex = (seed: number) => {
  let digits = '';
  for (let n = seed; digits.length < 64; n = (n * 48_271 + 11) % 2_147_483_647) digits += (n & 0xff).toString(16).padStart(2, '0');
  return digits.slice(0, 64);
};

describe('names', () => {
  it('has 128 adjectives and 256 nouns, each once, so that the digits of a key spread evenly', () => {
    expect(nameCounts).toEqual({ adjectives: 128, nouns: 256, birds: 32 });
  });

  it('makes two friendly words of an identity, and the same two of each of its peers', () => {
    const identity = hex(7);
    expect(nameOf(identity)).toMatch(/^[a-z]+-[a-z]+$/);
    expect(nameOf(`${identity.slice(0, 32)}-0123456789abcdef`)).toBe(nameOf(identity));
  });

  it('seldom gives two of 24 members the same name', () => {
    let collisions = 0;
    for (let group = 0; group < 200; group++) {
      const names = new Set(Array.from({ length: 24 }, (_, i) => nameOf(hex(1 + group * 24 + i))));
      collisions += 24 - names.size;
    }
    expect(collisions).toBeLessThan(20);
  });

  it('names a group by a bird and two digits', () => {
    expect(groupNameOf('00000007000000000000000000000000')).toBe('auk-07');
    expect(groupNameOf('ffffffff')).toMatch(/^[a-z]+-\d\d$/);
  });

  it('names anything, hex or not, without failing', () => {
    expect(nameOf('')).toBe(nameOf('zzzzzzzz'));
    expect(groupNameOf('?')).toBe('auk-00');
  });
});
