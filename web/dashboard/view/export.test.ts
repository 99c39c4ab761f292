import { describe, expect, it } from 'vitest';
import type { Result } from '../../sdk/types.ts';
import { csvPieces, fileNameOf, jsonPieces } from './export.ts';

const ok = (index: number, value: unknown): Result => ({ index, value, by: ['aa'], tookMs: 1.23456 });
const csv = (results: Result[]) => [...csvPieces(results)].join('');

describe('the CSV download', () => {
  it('spreads objects over columns, and puts what is deeper into one cell as JSON', () => {
    expect(csv([ok(0, { a: 1, b: [1, 2] }), ok(1, { a: 'x', c: true })])).toBe(
      'index,a,b,c,error,by,took_ms\r\n0,1,"[1,2]",,,aa,1.235\r\n1,x,,true,,aa,1.235\r\n',
    );
  });

  it('keeps one column for values that are no objects', () => {
    expect(csv([ok(0, 7), ok(1, 'two, "three"\nfour')])).toBe(
      'index,value,error,by,took_ms\r\n0,7,,aa,1.235\r\n1,"two, ""three""\nfour",,aa,1.235\r\n',
    );
  });

  it('lists failed items with their message', () => {
    const failed: Result = { index: 3, error: { message: 'no, never', name: 'Error', stack: '', input: 1 }, by: ['aa', 'bb'], tookMs: 2 };
    expect(csv([failed])).toBe('index,value,error,by,took_ms\r\n3,,"no, never",aa bb,2\r\n');
  });

  it("lets no spreadsheet run a stranger's formula, and leaves negative numbers alone", () => {
    expect(csv([ok(0, '=cmd()'), ok(1, -4)])).toContain("0,'=cmd(),");
    expect(csv([ok(1, -4)])).toContain('1,-4,');
  });
});

describe('the JSON download', () => {
  it('is one JSON text that parses back, bytes and big integers included', () => {
    const text = [
      ...jsonPieces(
        { id: 'j', name: 'n', state: 'done', items: 2 },
        [ok(0, { n: 5n, data: new Uint8Array([1, 2, 3]) }), ok(1, new Map([['k', 1]]))],
        [['a', 1]],
      ),
    ].join('');
    expect(JSON.parse(text)).toEqual({
      job: { id: 'j', name: 'n', state: 'done', items: 2 },
      results: [
        { index: 0, value: { n: '5', data: { base64: 'AQID' } }, by: ['aa'], tookMs: 1.23456 },
        { index: 1, value: [['k', 1]], by: ['aa'], tookMs: 1.23456 },
      ],
      reduced: [['a', 1]],
    });
  });

  it('is a JSON text without any result too', () => {
    expect(JSON.parse([...jsonPieces({ id: 'j', name: 'n', state: 'queued', items: 2 }, [], undefined)].join(''))).toMatchObject({
      results: [],
    });
  });
});

describe('file names', () => {
  it('keeps letters and digits of any script', () => {
    expect(fileNameOf('Julia: set/16k ', 'json')).toBe('julia-set-16k.json');
    expect(fileNameOf('../..', 'csv')).toBe('results.csv');
  });
});
