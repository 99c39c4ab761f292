import { describe, expect, it } from 'vitest';
import { about, bytes, count, duration, items, numberFormats, percent, plural, pretty, rate, short, ticking, timeLeft } from './format.ts';

describe('numbers as a person says them', () => {
  it('writes them as the person’s language does', () => {
    const german = numberFormats('de-DE');
    expect([german.count(43_200), german.decimal(1.25, 1), german.decimal(1_234.5, 2)]).toEqual(['43.200', '1,3', '1.234,50']);
    expect(numberFormats('fr').decimal(0.5, 1)).toBe('0,5');
    expect([numberFormats('en-GB').count(1_000_000), numberFormats('en').decimal(1_234.5, 1)]).toEqual([
      '1\u202f000\u202f000',
      '1\u202f234.5',
    ]);
    expect([numberFormats('en').figure(12_345, 3), german.figure(0.001_234, 2)]).toEqual(['12\u202f300', '0,0012']);
  });

  it('groups digits and agrees with the noun', () => {
    expect(count(43_200)).toBe('43\u202f200');
    expect(plural(1, 'part')).toBe('1 part');
    expect(plural(0, 'part')).toBe('0 parts');
  });

  it.each([
    [0, '0 s'],
    [0.3, '< 1 ms'],
    [82, '82 ms'],
    [400, '0.4 s'],
    [1_240, '1.2 s'],
    [59_600, '1 min'],
    [252_000, '4 min 12 s'],
    [660_000, '11 min'],
    [13_260_000, '3 h 41 min'],
    [187_200_000, '2 d 4 h'],
    [-1, '–'],
    [Number.NaN, '–'],
  ])('says %d ms as %s', (ms, said) => expect(duration(ms)).toBe(said));

  it('rounds a guess as one says it', () =>
    expect([0, 12_000, 54_000, 170_000, 4_000_000, 400_000_000].map(about)).toEqual([
      'a few seconds',
      '20 s',
      '60 s',
      '3 min',
      '2 h',
      '5 days',
    ]));

  it('ticks in whole seconds', () => {
    expect(ticking(8_400)).toBe('8 s');
    expect(ticking(252_000)).toBe('4 min 12 s');
  });

  it.each([
    [null, 'time left not known yet'],
    [0.2, 'almost there'],
    [4, 'a few seconds left'],
    [41, 'about 50 s left'],
    [56, 'about 1 min left'],
    [340, 'about 6 min left'],
    [7_300, 'about 3 h left'],
    [400_000, 'about 5 days left'],
    [Number.POSITIVE_INFINITY, 'time left not known yet'],
  ])('says %s seconds left as %s', (seconds, said) => expect(timeLeft(seconds)).toBe(said));

  it('says bytes in units of a thousand, and rates with as many digits as mean something', () => {
    expect([0, 640, 222_300_000, 1_180_000_000, 2 ** 30, 1_048_000].map(bytes)).toEqual([
      '0 B',
      '640 B',
      '212 MB',
      '1.1 GB',
      '1 GB',
      '1 MB',
    ]);
    expect([0, 0.04, 1.27, 20.6, 1_204.4].map(rate)).toEqual(['0', '0.04', '1.3', '21', '1\u202f204']);
  });

  it('never says that all is done before it is', () => {
    expect(percent(0.99999)).toBe('99.9\u202f%');
    expect(percent(0.00001)).toBe('0.1\u202f%');
    expect(percent(1)).toBe('100\u202f%');
  });

  it('names items by their number, a run by its ends', () => {
    expect(items([17, 18])).toBe('#17');
    expect(items([120, 240])).toBe('#120 – 239');
  });

  it('shows any value on one bounded line', () => {
    expect(short({ spiral: 0.91, bar: true, tags: ['a'] })).toBe('{ spiral: 0.91, bar: true, tags: ["a"] }');
    expect(short({ rgba: new Uint8Array(65_536), x: 0 })).toBe('{ rgba: 64 kB of data, x: 0 }');
    expect(short(undefined)).toBe('nothing');
    expect(short(10n)).toBe('10n');
    expect(short(new Map([['a', 1]]))).toBe('{ a: 1 }');
    expect(short({ tags: new Set(['x', 'y']) })).toBe('{ tags: ["x", "y"] }');
    expect(short('x'.repeat(500))).toHaveLength(90);
    const deep: unknown[] = [];
    deep.push(deep);
    expect(short(deep).length).toBeLessThan(90);
  });
});

describe('a value to read', () => {
  it('is JSON over lines, without the bytes of data', () => {
    expect(pretty({ a: [1], rgba: new Uint8Array(2_048), m: new Map([['k', 2n]]) })).toBe(
      '{\n  "a": [\n    1\n  ],\n  "rgba": "(2 kB of data)",\n  "m": [\n    [\n      "k",\n      "2n"\n    ]\n  ]\n}',
    );
    expect(pretty('x'.repeat(9_000))).toHaveLength(8_000);
    expect(pretty(undefined)).toBe('nothing');
  });
});
