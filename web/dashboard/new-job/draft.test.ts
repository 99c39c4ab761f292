import { describe, expect, it } from 'vitest';
import { checkDraft, emptyDraft, inputKinds, itemCount, linesOf, rangeOf, textProblem, type Draft, type TextKind } from './draft.ts';

const draft = (changes: Partial<Draft>): Draft => ({
  ...emptyDraft,
  name: 'Squares',
  text: { ...emptyDraft.text, lines: 'a\nb' },
  ...changes,
});
const said = (changes: Partial<Draft>) => {
  const checked = checkDraft(draft(changes));
  return checked.ok ? [] : checked.problems.map(({ field, sentence }) => `${field}: ${sentence}`);
};
const text = (kind: TextKind, value: string): Partial<Draft> => ({ kind, text: { ...emptyDraft.text, [kind]: value } });

describe('a new job', () => {
  it('is taken when it has a name, code and input', () => {
    expect(checkDraft(draft({}))).toEqual({ ok: true, options: { limits: {} }, inputs: { items: ['a', 'b'] }, args: null, keepMs: null });
    expect(checkDraft(draft({ args: '{"n":1}', ...text('range', '5..8') }))).toEqual({
      ok: true,
      options: { limits: {} },
      inputs: { range: [5, 8] },
      args: { n: 1 },
      keepMs: null,
    });
  });

  it('may take so many minutes of processors, or as many as it needs', () => {
    const limited = (totalMinutes: string) => checkDraft(draft({ totalMinutes }));
    expect(limited(' ')).toMatchObject({ ok: true, options: { limits: {} } });
    expect(limited('1.5')).toMatchObject({ ok: true, options: { limits: { totalMs: 90_000 } } });
    for (const wrong of ['0', '-1', 'an hour', '1e99'])
      expect(limited(wrong)).toMatchObject({ ok: false, problems: [{ field: 'Time limit' }] });
  });

  it('has the time for an item, the memory, the priority and the days that are written, and the usual ones where nothing is', () => {
    expect(checkDraft(draft({ itemMinutes: '1440', memoryMiB: ' 16384 ', priority: '-100' }))).toMatchObject({
      ok: true,
      options: { limits: { itemMs: 86_400_000, memoryMiB: 16_384 }, priority: -100 },
    });
    expect(checkDraft(draft({ priority: '0' }))).toMatchObject({ ok: true, options: { limits: {} }, keepMs: null });
    expect(checkDraft(draft({ keepDays: '90' }))).toMatchObject({ ok: true, keepMs: 90 * 86_400_000 });
    for (const [wrong, field] of [
      [{ itemMinutes: '1441' }, 'Time for one item'],
      [{ itemMinutes: '0' }, 'Time for one item'],
      [{ memoryMiB: '0' }, 'Memory'],
      [{ memoryMiB: '1.5' }, 'Memory'],
      [{ memoryMiB: '16385' }, 'Memory'],
      [{ priority: '101' }, 'Priority'],
      [{ priority: 'high' }, 'Priority'],
      [{ keepDays: '91' }, 'Kept for'],
      [{ keepDays: '0' }, 'Kept for'],
      [{ keepDays: '1.5' }, 'Kept for'],
    ] as const)
      expect(checkDraft(draft(wrong))).toMatchObject({ ok: false, problems: [{ field }] });
  });

  it('that is kept open may begin without input, but not with a wrong one', () => {
    for (const kind of inputKinds)
      expect(checkDraft(draft({ open: true, kind, text: emptyDraft.text }))).toMatchObject({ ok: true, inputs: { items: [] } });
    expect(said({ open: true, ...text('range', '8..5') })).toEqual([
      'Input: The range is empty: its second number has to be the larger one.',
    ]);
  });

  it('says everything that is wrong at once', () => {
    expect(said({ name: ' ', code: '', ...text('lines', '') }).map((line) => line.split(':')[0])).toEqual(['Name', 'Code', 'Input']);
  });

  it.each([
    ['', /There is no code/],
    ['const run = (x) => x;', /exports no default function/],
    ['// export default nothing\nconst a = 1;', /exports no default function/],
    ["import _ from 'lodash';\nexport default (x) => _.chunk(x);", /imports other modules/],
  ])('refuses the code %j', (code, sentence) => expect(said({ code })[0]).toMatch(sentence));

  it.each([
    'export default (x) => x',
    'const f = (x) => x;\nexport { f as default };',
    'export default async function* run() {}',
    'const important = 1; export default () => important',
  ])('takes the code %j', (code) => expect(said({ code })).toEqual([]));

  it.each([
    [text('lines', ' \n '), /no input yet/],
    [text('json', ''), /paste a JSON list/],
    [text('json', '[1, 2'), /not valid JSON/],
    [text('json', '{"a":1}'), /no list/],
    [text('json', '[]'), /empty/],
    [text('range', 'ten'), /two whole numbers/],
    [text('range', '9..9'), /empty/],
    [text('range', '0..99999999'), /10 million/],
    [{ kind: 'file', file: null }, /Choose a file/],
    [{ kind: 'file', file: new File(['abc'], 'a.bin'), split: 'chunks', chunkKiB: '0' }, /whole number of kB/],
    [text('object', 'no reference'), /64 digits/],
    [text('generator', 'return 1;'), /yields its items/],
    [{ kind: 'file', file: new File([], 'a.txt') }, /a\.txt is empty/],
  ] as [Partial<Draft>, RegExp][])('refuses an input that is not what was said: %j', (changes, sentence) =>
    expect(said(changes)[0]).toMatch(sentence),
  );

  it('refuses arguments that are no JSON', () =>
    expect(said({ args: '{n:1}' })[0]).toMatch(/^Arguments: The arguments are not valid JSON/));
});

describe('reading input', () => {
  it('takes lines of any system, and no empty line after the last end', () => expect(linesOf('a\r\n\nb\n')).toEqual(['a', '', 'b']));
  it.each([
    ['0..1000', [0, 1000]],
    [' 7 ', [0, 7]],
    ['-3..4', [-3, 4]],
    ['1_000 to 2_000', [1000, 2000]],
    ['5-9', [5, 9]],
    ['1..2..3', null],
    ['1.5..3', null],
  ])('reads the range %j', (written, range) => expect(rangeOf(written)).toEqual(range));
  it('counts items before anything is sent', () => {
    expect(itemCount(draft(text('range', '0..1000')))).toBe(1000);
    expect(itemCount(draft(text('lines', '')))).toBeNull();
  });
  it('takes a file or an object by its lines, or in pieces', () => {
    const id = 'ab'.repeat(32);
    const checked = (changes: Partial<Draft>) => checkDraft(draft(changes));
    const file = new File(['x'.repeat(5_000)], 'a.bin');
    expect(checked({ kind: 'file', file })).toMatchObject({ inputs: { file, chunkBytes: null } });
    expect(checked({ kind: 'file', file, split: 'chunks', chunkKiB: '2' })).toMatchObject({ inputs: { file, chunkBytes: 2_048 } });
    expect(itemCount(draft({ kind: 'file', file, split: 'chunks', chunkKiB: '2' }))).toBe(3);
    expect(checked(text('object', `see https://lull.example/data/${id}`))).toMatchObject({ inputs: { object: id, chunkBytes: null } });
  });
  it('tells text from other bytes, even cut in the middle of a character', () => {
    expect(textProblem(new TextEncoder().encode('naïve').subarray(0, 3), 'a.txt')).toBeNull();
    expect(textProblem(new Uint8Array([0x50, 0x4b, 3, 4, 0, 0]), 'a.zip')).toMatch(/a\.zip does not look like text/);
    expect(textProblem(new Uint8Array([0xff, 0xd8, 0xff]), 'a.jpg')).toMatch(/does not look like text/);
  });
});
