import { describe, expect, it } from 'vitest';
import { leftInWords, timeLeftOf } from './eta.ts';

const steady = (rate: number, seconds = 60) => Array.from({ length: seconds }, () => rate);

describe('the time left', () => {
  it('is not guessed before there is something to guess from', () => {
    expect(timeLeftOf(100, steady(5, 3))).toBeNull();
    expect(timeLeftOf(100, steady(0))).toBeNull();
    expect(timeLeftOf(0, steady(5))).toBeNull();
  });
  it('has no spread where nothing varies', () => {
    expect(timeLeftOf(600, steady(2))).toEqual({ likelySeconds: 300, fromSeconds: 300, toSeconds: 300 });
    expect(leftInWords(timeLeftOf(600, steady(2)), null)).toBe('about 5 min left');
  });
  it('is as wide as the last minute was uneven', () => {
    const uneven = Array.from({ length: 60 }, (_, i) => (Math.floor(i / 10) % 2 === 0 ? 1 : 3));
    const left = timeLeftOf(600, uneven)!;
    expect(left.likelySeconds).toBe(300);
    expect(left.fromSeconds).toBe(200);
    expect(left.toSeconds).toBe(600);
    expect(leftInWords(left, null)).toBe('about 5 min, 3 to 10 min');
  });
  it('is said in few words near the end, and by the rate alone while nothing is known of its spread', () => {
    expect(leftInWords(timeLeftOf(20, steady(2)), null)).toBe('about 10 s left');
    expect(leftInWords(null, 300)).toBe('about 5 min left');
    expect(leftInWords(null, null)).toBe('time left not known yet');
  });
});
