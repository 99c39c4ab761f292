import { describe, expect, it } from 'vitest';
import { previewKind, referenceIn, savedName, shownName } from './reference.ts';

const id = 'ab12'.repeat(16);

describe('a reference in what somebody pasted', () => {
  it.each([
    id,
    ` ${id}\n`,
    id.toUpperCase(),
    `https://lull.example/data/${id}`,
    `See https://lull.example/data/${id}?x=1, it is good.`,
    `${id} ${id}`,
  ])('is found in "%s"', (text) => expect(referenceIn(text)).toBe(id));

  it.each(['', 'hello', id.slice(1), `${id}0`, `${id} or ${'cd34'.repeat(16)}`])('is not made up from "%s"', (text) =>
    expect(referenceIn(text)).toBeNull(),
  );
});

describe('a name that a stranger chose', () => {
  it('cannot hide its ending, nor break the line', () => {
    expect(shownName('photo\u202egpj.exe', id)).toBe('photogpj.exe');
    expect(savedName('a\nb\u0000.txt', id)).toBe('ab.txt');
  });

  it('cannot lead out of the folder, nor make a hidden file', () => {
    expect(savedName('../../etc/passwd', id)).toBe('_.._etc_passwd');
    expect(savedName('.bashrc', id)).toBe('bashrc');
  });

  it('is made from the id where there is none', () => {
    expect(shownName(' ', id)).toBe('object ab12ab12');
    expect(savedName('', id)).toBe('lull-ab12ab12ab12');
  });
});

describe('what is shown without being opened', () => {
  it.each([
    ['image/png', 1000, 'image'],
    ['image/png', 90_000_000, null],
    ['text/plain', 1000, 'text'],
    ['text/html', 1000, 'text'],
    ['text/plain', 90_000_000, null],
    ['application/json', 10, 'text'],
    ['application/pdf', 10, null],
    ['', 10, null],
  ] as const)('%s of %d bytes: %s', (type, size, kind) => expect(previewKind(type, size)).toBe(kind));
});
