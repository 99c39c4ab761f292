// What the submitter has, uploaded, and read again item by item.
import { describe, expect, it } from 'vitest';
import { objectId } from '../kernel/lib/ids.ts';
import { pack } from '../kernel/lib/packed.ts';
import { encodeValue } from '../kernel/lib/value-codec.ts';
import { WithBuffers } from '../kernel/service.ts';
import { hexNumber, manifestOf, someJob } from '../kernel/testing/made-up-jobs.ts';
import { uploadInputs, type InputCodec } from './inputs.ts';
import { itemInput } from './item-input.ts';
import { testBus } from './testing/test-bus.ts';
import type { Inputs, ObjectRef } from './types.ts';

/** At most three values a page. */
const codec: InputCodec = {
  countLines: async (bytes, { atLineStart }) => ({
    begun: [...bytes].filter((_, at) => (at === 0 ? atLineStart : bytes[at - 1] === 0x0a)).length,
    atLineStart: bytes.at(-1) === 0x0a,
    unfinished: bytes.at(-1) === 0xc3 ? bytes.slice(-1) : new Uint8Array(),
    binary: bytes.includes(0),
    wrongLine: bytes.includes(0xff) ? 1 : null,
  }),
  packPage: async (values) => {
    const bad = values.findIndex((value) => value === 'bad');
    if (bad >= 0 && bad < 3) return { ok: false, index: bad, message: 'cannot be sent' };
    const some = values.slice(0, 3);
    return { ok: true, page: pack(some.map((value) => encodeValue(value))), items: some.length };
  },
};

class Uploads {
  segments: Uint8Array[] = [];
  ended: string[] = [];
  readonly id = objectId(hexNumber(1));
  readonly bus = testBus({
    'blocks puts create': () => ({ put: 1 }),
    'blocks puts insert': () => ({}),
    'blocks puts submit': () => ({ id: this.id, size: 0, copies: 2 }),
    'blocks objects insert': () => ({ id: this.id, size: 0, copies: 2 }),
    'blocks puts delete': () => void this.ended.push('given up'),
    'blocks objects get': () => ({ manifest: { size: this.segments.reduce((sum, one) => sum + one.length, 0), segments: this.segments } }),
    'blocks segments get': ({ segment }: { segment: number }) => new WithBuffers({ data: 0 }, [this.segments[segment]!]),
  });
  readonly ref: ObjectRef = { object: this.id, size: 0, name: '', type: '' };

  async upload(inputs: Inputs, signal?: AbortSignal) {
    const { ask } = this.bus;
    const keeping: typeof ask = (contract, resource, verb, request, options) => {
      if (verb === 'insert' && ['puts', 'objects'].includes(resource)) this.segments.push(options!.buffers![0]!);
      return ask(contract, resource, verb, request, options);
    };
    return uploadInputs({ bus: { ...this.bus, ask: keeping }, codec, expires: 0, signal }, inputs);
  }

  async read(uploaded: Awaited<ReturnType<Uploads['upload']>>) {
    const manifest = manifestOf(uploaded.input.items, { input: uploaded.input });
    return Promise.all(Array.from({ length: uploaded.input.items }, (_, index) => itemInput(this.bus, someJob, manifest, index)));
  }
}

describe('inputs', () => {
  it('of values go in pages, and each is found again', async () => {
    const uploads = new Uploads();
    const values = [1, 'two', { three: [3] }, null, undefined, new Date(6), 7n];
    const uploaded = await uploads.upload({ items: values });
    expect(uploaded).toMatchObject({ copies: 2, input: { kind: 'items', perSegment: [3, 3, 1] } });
    expect(await uploads.read(uploaded)).toEqual(values);
  });

  it('of lines count where each begins, also across segments', async () => {
    const uploads = new Uploads();
    uploads.segments = ['one\ntw', 'o\r\n\nfo', 'u', 'r\n'].map((text) => new TextEncoder().encode(text));
    const uploaded = await uploads.upload({ lines: uploads.ref });
    expect(uploaded.input).toMatchObject({ perSegment: [2, 2, 0, 0], items: 4 });
    expect(await uploads.read(uploaded)).toEqual(['one', 'two', '', 'four']);
  });

  it('that were put before count as held by nobody until somebody was asked', async () => {
    const uploads = new Uploads();
    uploads.segments = [new Uint8Array(10)];
    const ref = { ...uploads.ref, copies: 3 };
    expect(await uploads.upload({ chunks: ref, bytes: 4 })).toMatchObject({ copies: 0, input: { kind: 'chunks', items: 3 } });
  });

  it('that are wrong end in a sentence, and nothing half stored is left behind', async () => {
    const uploads = new Uploads();
    await expect(uploads.upload({ items: ['a', 'b', 'c', 'd', 'e', 'f', 'bad'] })).rejects.toThrow('Item 6 cannot be sent.');
    expect(uploads.ended).toEqual(['given up']);
    // Before anything is stored.
    await expect(uploads.upload({ items: ['a', 'bad'] })).rejects.toThrow('Item 1 cannot be sent.');
    await expect(uploads.upload({ items: ['a'] }, AbortSignal.abort())).rejects.toThrow('It was called off.');
    expect(uploads.ended).toEqual(['given up']);
    uploads.segments = [Uint8Array.of(65, 0)];
    await expect(uploads.upload({ lines: uploads.ref })).rejects.toThrow('does not look like text');
    uploads.segments = [];
    await expect(uploads.upload({ lines: uploads.ref })).rejects.toThrow('The file is empty');
    await expect(uploads.upload({ range: [0, 20_000_000] })).rejects.toThrow('at most 10,000,000 items');
    uploads.segments = [Uint8Array.of(0x61, 0x0a, 0x62, 0x0a), Uint8Array.of(0xff, 0x0a)];
    await expect(uploads.upload({ lines: uploads.ref })).rejects.toThrow('Line 3 of the file is not text in UTF-8');
    uploads.segments = [Uint8Array.of(0x61, 0x0a, 0x62, 0xc3)];
    await expect(uploads.upload({ lines: uploads.ref })).rejects.toThrow('Line 2 of the file is not text in UTF-8');
  });
});
