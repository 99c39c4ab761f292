import { describe, expect, it } from 'vitest';
import { emptyDraft, type Draft } from './draft.ts';
import { draftFromFragment, draftFromText, draftToFragment, draftToText } from './draft-file.ts';

const draft: Draft = {
  ...emptyDraft,
  name: 'Größe der Zeilen',
  code: 'export default (line) => line.length;\n',
  reduce: 'export default (all) => all.length',
  args: '{"a":1}',
  open: true,
  kind: 'json',
  text: { ...emptyDraft.text, json: '["ä", 2]' },
};

describe('a job as a file or a link', () => {
  it('comes back as it was', async () => {
    expect(draftFromText(draftToText(draft))).toEqual(draft);
    expect(await draftFromFragment(await draftToFragment(draft))).toEqual(draft);
    const chunks: Draft = {
      ...emptyDraft,
      name: 'n',
      kind: 'object',
      split: 'chunks',
      chunkKiB: '8',
      text: { ...emptyDraft.text, object: 'ab' },
    };
    expect(draftFromText(draftToText(chunks))).toEqual(chunks);
    const limited: Draft = { ...draft, totalMinutes: '90', itemMinutes: '5', memoryMiB: '2048', priority: '7', keepDays: '30' };
    expect(draftFromText(draftToText(limited))).toEqual(limited);
  });

  it('goes without the bytes of a file, which only its person has', () => {
    const file = new File(['secret'], 'mine.txt');
    const text = draftToText({ ...draft, kind: 'file', file });
    expect(text).not.toContain('secret');
    expect(draftFromText(text)).toMatchObject({ kind: 'file', file: null });
  });

  it('is written in letters that need no escape in an address', async () => {
    expect(await draftToFragment(draft)).toMatch(/^[\w-]+$/);
  });

  it.each([
    ['{', 'not JSON'],
    ['[]', 'no job of Lull'],
    ['{"lull":"job","v":2}', 'no job of Lull'],
  ])('that is %s is refused', (text, sentence) => expect(() => draftFromText(text)).toThrow(sentence));

  it('that was cut in a link is refused, and so is one that unfolds without end', async () => {
    const whole = await draftToFragment(draft);
    await expect(draftFromFragment(whole.slice(0, 20))).rejects.toThrow('cannot be read');
    const bomb = await draftToFragment({ ...draft, code: ' '.repeat(25_000_000) });
    expect(bomb.length).toBeLessThan(100_000);
    await expect(draftFromFragment(bomb)).rejects.toThrow('cannot be read');
  });
});
