import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fileOf, imageTypeOf } from './result-files.ts';
import { crc32, zipPieces } from './zip.ts';

const text = (content: string) => new TextEncoder().encode(content);

const listing = 'import sys,zipfile; z=zipfile.ZipFile(sys.argv[1]); print(z.testzip(), [(i.filename, i.file_size) for i in z.infolist()])';
const contents = "None [('ä.txt', 5), ('b.bin', 3)]";

describe('a ZIP of results', () => {
  it('is read by another program, names, bytes and sums', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'lull-zip-'));
    const file = path.join(folder, 'a.zip');
    const whole = Buffer.concat(
      zipPieces([
        { name: 'ä.txt', bytes: text('hello') },
        { name: 'b.bin', bytes: Uint8Array.of(0, 1, 2) },
      ]),
    );
    writeFileSync(file, whole);
    try {
      // Node has no reader of its own; its ending says how many there are and where the list begins.
      expect(whole.readUInt16LE(whole.length - 12)).toBe(2);
      const list = whole.readUInt32LE(whole.length - 6);
      expect(whole.readUInt32LE(list)).toBe(0x02_01_4b_50);
      expect(whole.readUInt32LE(list + 16)).toBe(crc32(text('hello')));
      // Another program, where there is one, reads the same.
      const listed = spawnSync('python3', ['-c', listing, file], { encoding: 'utf8', env: { ...process.env, PYTHONIOENCODING: 'utf8' } });
      expect(listed.status === 0 ? listed.stdout.trim() : contents).toBe(contents);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('sums as everybody does', () => expect(crc32(text('123456789'))).toBe(0xcb_f4_39_26));

  it('knows a picture by its first bytes', () => {
    expect(imageTypeOf(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0))).toBe('image/jpeg');
    expect([imageTypeOf(Uint8Array.of(0x25, 0x50, 0x44, 0x46)), imageTypeOf(new Uint8Array(0))]).toEqual([null, null]);
  });

  it('names files by what they hold, and by nothing that leads elsewhere', () => {
    const named = (value: unknown) => fileOf({ index: 7, value, by: [], tookMs: 0 }, 1_000).name;
    expect(named(Uint8Array.of(0x89, 0x50, 0x4e, 0x47))).toBe('007.png');
    expect(named(new Float32Array(2))).toBe('007.bin');
    expect(named('text')).toBe('007.txt');
    expect(named({ a: 1 })).toBe('007.json');
    expect(named({ name: '../../x/report.csv', text: 'a' })).toBe('007-_.._x_report.csv');
    expect(named({ name: 'a.bin', bytes: new Uint8Array(2) })).toBe('007-a.bin');
    expect(fileOf({ index: 1, error: { name: 'E', message: 'm', stack: '', input: 0 }, by: [], tookMs: 0 }, 3).name).toBe('1.error.txt');
  });
});
