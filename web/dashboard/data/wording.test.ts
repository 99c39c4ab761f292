import { describe, expect, it } from 'vitest';
import { durabilityWords, forgedWords, kindWord, remedyOf, repairWords, sizeProblem, sumByOwner } from './wording.ts';

const MiB = 2 ** 20;

describe('what the browser promises', () => {
  it.each([
    ['kept', 'own', /^Kept until you remove it\.$/],
    ['not-asked', 'own', /^The browser may clear this when space runs short\.$/],
    ['unknown', 'own', /^The browser may clear this when space runs short\.$/],
    ['refused', 'own', /said no/],
    ['kept', 'none', /keeps nothing/],
    ['kept', 'second', /Another tab/],
  ] as const)('%s, store %s', (durability, store, words) => expect(durabilityWords(durability, store)).toMatch(words));
});

it.each([
  ['at the limit', { usedBytes: 127, allowedBytes: 128 }, 'limit'],
  ['where the browser gives less than the limit', { usedBytes: 40, allowedBytes: 40 }, 'disk'],
  ['where the browser gives nothing', { usedBytes: 0, allowedBytes: 0 }, 'disk'],
  ['where room is not what is missing', { usedBytes: 0, allowedBytes: 128 }, 'none'],
] as const)('knows what helps %s', (_, kept, remedy) => expect(remedyOf(kept, 128)).toBe(remedy));

describe('repair', () => {
  it('says how much is under way and how fast', () => {
    const words = repairWords({ running: 2, waiting: 0, doneBytes: 0, bytesPerSecond: 3.1 * MiB });
    expect(words).toMatchObject({ active: true, text: '2 objects being repaired, 3.1 MB/s' });
  });

  it('agrees in number about what waits', () => {
    expect(repairWords({ running: 1, waiting: 1, doneBytes: 0, bytesPerSecond: 0 }).detail).toBe('1 more waits for its turn.');
    expect(repairWords({ running: 1, waiting: 5, doneBytes: 0, bytesPerSecond: 0 }).detail).toBe('5 more wait for their turn.');
    expect(repairWords({ running: 0, waiting: 1, doneBytes: 0, bytesPerSecond: 0 }).text).toBe('1 object waits for repair');
  });

  it('says that nothing is to be done, and what was', () => {
    const words = repairWords({ running: 0, waiting: 0, doneBytes: 12 * MiB, bytesPerSecond: 0 });
    expect(words).toEqual({ active: false, text: 'Nothing needs repair', detail: '12 MB repaired by this tab so far.' });
  });
});

it('says what was forged, and when, without digits that nobody reads', () => {
  expect(forgedWords(`slice ${'ab12'.repeat(16)}`, 12_000)).toBe('slice ab12ab12…, just now');
  expect(forgedWords('the manifest', 190_000)).toBe('the manifest, 3 min ago');
});

describe('a file that is too large', () => {
  it('is refused in a sentence that says what to do', () => {
    expect(sizeProblem('holiday.mov', 300 * MiB, 128 * MiB, 4096 * MiB)).toBe(
      'holiday.mov has 300 MB, more than the 128 MB this browser is allowed to use: allow more on the Donate page, or put a smaller file.',
    );
    expect(sizeProblem('all.tar', 5000 * MiB, null, 4096 * MiB)).toBe('all.tar has 4.9 GB, and an object may have at most 4 GB.');
  });

  it('is taken where it fits, and where nothing is known yet', () => {
    expect(sizeProblem('a', 128 * MiB, 128 * MiB, 4096 * MiB)).toBeNull();
    expect(sizeProblem('a', 128 * MiB, null, 4096 * MiB)).toBeNull();
  });
});

it('sums what is kept for each person, most bytes first', () => {
  const kept = [
    { by: 'aa', heldHereBytes: 10, online: 3, n: 3 },
    { by: 'bb', heldHereBytes: 90, online: 3, n: 3 },
    { by: 'aa', heldHereBytes: 20, online: 1, n: 3 },
  ];
  expect(sumByOwner(kept)).toEqual([
    { by: 'bb', objects: 1, heldHereBytes: 90, short: 0 },
    { by: 'aa', objects: 2, heldHereBytes: 30, short: 1 },
  ]);
});

it.each([
  ['image/png', 'image'],
  ['text/plain', 'text'],
  ['text/csv', 'table'],
  ['text/javascript', 'code'],
  ['application/json', 'JSON'],
  ['', 'file'],
  ['application/x-strange', 'file'],
])('calls %s a %s', (type, word) => expect(kindWord(type)).toBe(word));
