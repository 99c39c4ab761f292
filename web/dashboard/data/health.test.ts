import { describe, expect, it } from 'vitest';
import { cellsOf, expiresIn, headingOf, levelOf, oneIn, riskWords, standingOf } from './health.ts';

const nothingHere = { whole: false, some: false };
const coded = { k: 2, n: 6, held: 6, online: 6 };

describe('cells', () => {
  it('shows who is online first, then who is away, then what is missing', () => {
    expect(cellsOf({ ...coded, held: 5, online: 3 })).toEqual(['online', 'online', 'online', 'away', 'away', 'missing']);
  });

  it('stays a row whatever the figures', () => {
    expect(cellsOf({ k: 1, n: 1, held: 0, online: 0 })).toEqual(['missing']);
    // More keep a copy than are wanted: they are shown too.
    expect(cellsOf({ k: 1, n: 2, held: 3, online: 3 })).toEqual(['online', 'online', 'online']);
    expect(cellsOf({ k: 1, n: 900, held: 900, online: 900 })).toHaveLength(16);
  });
});

describe('how well an object is kept', () => {
  it.each([
    [{ ...coded }, 'whole'],
    [{ ...coded, online: 5 }, 'thin'],
    [{ ...coded, online: 2 }, 'bare'],
    [{ ...coded, online: 1 }, 'unreadable'],
    [{ k: 1, n: 1, held: 1, online: 1 }, 'bare'],
    [{ k: 1, n: 1, held: 2, online: 2 }, 'whole'],
    [{ k: 1, n: 3, held: 3, online: 3 }, 'whole'],
    [{ k: 1, n: 3, held: 3, online: 0 }, 'unreadable'],
  ] as const)('%o is %s', (health, level) => expect(levelOf(health)).toBe(level));

  it.each([
    [coded, 'All 6 slices are online; any 2 restore it.'],
    [{ k: 1, n: 1, held: 1, online: 1 }, 'The only copy is online: nobody else keeps it yet.'],
    [{ k: 1, n: 3, held: 3, online: 3 }, 'All 3 copies are online; one is enough.'],
    [{ k: 1, n: 2, held: 2, online: 2 }, 'Both copies are online; one is enough.'],
    [{ ...coded, online: 5 }, '5 of 6 slices are online, 1 is with somebody who is away; any 2 restore it.'],
    [{ ...coded, held: 4, online: 3 }, '3 of 6 slices are online, 1 is with somebody who is away, 2 are missing; any 2 restore it.'],
    [{ ...coded, held: 2, online: 2 }, '2 of 6 slices are online, 4 are missing; any 2 restore it. One more that leaves is one too many.'],
    [
      { ...coded, online: 1 },
      'Only 1 of 6 slices is online, and 2 are needed: it cannot be read until more of those who keep it come back.',
    ],
    [{ k: 1, n: 3, held: 2, online: 0 }, 'No copy is online: it cannot be read until more of those who keep it come back.'],
  ] as const)('says of %o what is the case', (health, sentence) => expect(standingOf(health, nothingHere, false).sentence).toBe(sentence));

  it('knows what this browser has of it', () => {
    const alone = { k: 1, n: 1, held: 1, online: 1 };
    expect(standingOf(alone, { whole: true, some: true }, false).sentence).toBe(
      'Only this browser keeps it. Others take their part as soon as they come.',
    );
    const gone = standingOf({ ...coded, online: 1 }, { whole: true, some: true }, false);
    expect(gone.sentence).toBe('Only 1 of 6 slices is online, and 2 are needed, but all of it is in this browser.');
    expect(gone).toMatchObject({ tone: 'dusk', level: 'bare', readable: 'here' });
  });

  it('says that it is being repaired, and how many are online in short', () => {
    const standing = standingOf({ ...coded, held: 5, online: 4 }, nothingHere, true);
    expect(standing.sentence).toMatch(/ It is being repaired now\.$/);
    expect(standing).toMatchObject({ short: '4 of 6', tone: 'dusk', level: 'thin' });
  });
});

describe('the risk', () => {
  it.each([
    [3e-5, '1 in 30\u202f000'],
    [1e-2, '1 in 100'],
    [7e-4, '1 in 1\u202f000'],
    [0.26, '1 in 4'],
    [0.3, '1 in 3'],
    [0.09, '1 in 10'],
    [1e-9, 'under 1 in a million'],
    [0, 'under 1 in a million'],
    [0.7, 'more likely than not'],
    [1, 'certain'],
    [Number.NaN, '–'],
  ])('%d is %s', (probability, said) => expect(oneIn(probability)).toBe(said));
});

it('says what is the case where the risk is no matter of chance', () => {
  expect(riskWords({ readable: 'no' }, 1)).toBe('cannot be read');
  expect(riskWords({ readable: 'here' }, 1)).toBe('only from here');
  expect(riskWords({ readable: 'yes' }, 0.26)).toBe('1 in 4');
});

describe('the heading', () => {
  it.each([
    [null, 'Your data'],
    [[], 'You have put nothing here yet'],
    [['whole'], 'Your object is well kept'],
    [['whole', 'whole'], 'Your 2 objects are well kept'],
    [['bare'], 'Your object waits for more people to keep it'],
    [['bare', 'thin'], 'Your 2 objects wait for more people to keep them'],
    [['bare', 'whole', 'whole'], '1 of your 3 objects waits for more people to keep it'],
    [['unreadable', 'bare', 'whole'], '1 of your 3 objects cannot be read just now'],
    [['unreadable'], 'Your object cannot be read just now'],
  ] as const)('of %o is "%s"', (levels, heading) => expect(headingOf(levels)).toBe(heading));
});

it('says when an object expires in whole units', () => {
  expect([0, 61_000, 31 * 3_600_000, 13.2 * 86_400_000].map(expiresIn)).toEqual(['now', 'in 2 min', 'in 31 h', 'in 13 days']);
});
