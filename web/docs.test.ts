// What is written for people leads somewhere: links, headings, pictures.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const texts = [
  'README.md',
  ...readdirSync(path.join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');

/** As GitHub names them. */
const anchorsOf = (file: string) =>
  [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

const linksOf = (file: string) =>
  [...read(file).matchAll(/\]\(([^)\s]+)\)|<img src="([^"]+)"/g)]
    .map(([, link, picture]) => (link ?? picture)!)
    .filter((link) => !/^[a-z]+:/.test(link));

test.each(texts)('every link of %s leads to something that is there', (file) => {
  const wrong = linksOf(file).filter((link) => {
    const [to, anchor] = link.split('#');
    const target = to === '' ? file : path.posix.join(path.posix.dirname(file), to!);
    return !existsSync(path.join(root, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
  });
  expect(wrong).toEqual([]);
});

test('every picture is shown somewhere', () => {
  const shown = new Set(texts.flatMap((file) => linksOf(file).map((link) => path.posix.join(path.posix.dirname(file), link))));
  expect(readdirSync(path.join(root, 'docs/images')).filter((name) => !shown.has(`docs/images/${name}`))).toEqual([]);
});
