import { describe, expect, it, vi } from 'vitest';
import type { ObjectId } from '../../kernel/lib/ids.ts';
import type { Lull, ObjectRef, PutOptions } from '../../sdk/types.ts';
import { createUploads, filesMax } from './uploads.ts';

interface Under {
  readonly name: string;
  readonly options: PutOptions;
  end(): void;
  fail(message: string): void;
}

/** A lull whose puts end when the test says so. */
function slowLull(): { lull: Pick<Lull, 'put'>; under: Under[] } {
  const under: Under[] = [];
  const put: Lull['put'] = (data, options = {}) =>
    new Promise((resolve, reject) => {
      const { name = '', type = '' } = options;
      options.signal?.addEventListener('abort', () => reject(new Error('It was called off.')));
      under.push({
        name,
        options,
        end: () => resolve({ object: `id of ${name}` as unknown as ObjectId, size: (data as File).size, name, type } satisfies ObjectRef),
        fail: (message) => reject(new Error(message)),
      });
    });
  return { lull: { put }, under };
}

const file = (name: string, bytes = 10) => new File([new Uint8Array(bytes)], name, { type: 'text/plain' });
const begun = (under: readonly Under[], names: readonly string[]) => vi.waitFor(() => expect(under.map(({ name }) => name)).toEqual(names));

describe('uploads', () => {
  it('go two at a time, in order, and end with the id', async () => {
    const uploads = createUploads();
    const { lull, under } = slowLull();
    uploads.add(lull, [file('a'), file('b'), file('c')], null);
    await begun(under, ['a', 'b']);
    expect(uploads.store.getState().map(({ step }) => step.kind)).toEqual(['putting', 'putting', 'waiting']);
    under[1]!.end();
    await begun(under, ['a', 'b', 'c']);
    expect(uploads.store.getState()[1]!.step).toEqual({ kind: 'put', id: 'id of b' });
  });

  it('tell how far they are', async () => {
    const uploads = createUploads();
    const { lull, under } = slowLull();
    uploads.add(lull, [file('a')], null);
    await begun(under, ['a']);
    under[0]!.options.onProgress?.(4, 10);
    expect(uploads.store.getState()[0]!.step).toEqual({ kind: 'putting', doneBytes: 4 });
  });

  it('are called off whether they wait or run, and make room for the next', async () => {
    const uploads = createUploads();
    const { lull, under } = slowLull();
    uploads.add(lull, [file('a'), file('b'), file('c'), file('d')], null);
    await begun(under, ['a', 'b']);
    const [a, , c] = uploads.store.getState();
    uploads.cancel(c!.key);
    uploads.cancel(a!.key);
    await begun(under, ['a', 'b', 'd']);
    expect(uploads.store.getState().map(({ name }) => name)).toEqual(['b', 'd']);
  });

  it('say why one failed, and go on with the others', async () => {
    const uploads = createUploads();
    const { lull, under } = slowLull();
    uploads.add(lull, [file('a'), file('b'), file('c')], null);
    await begun(under, ['a', 'b']);
    under[0]!.fail('Nobody has room.');
    await begun(under, ['a', 'b', 'c']);
    expect(uploads.store.getState()[0]!.step).toEqual({ kind: 'failed', sentence: 'Nobody has room.' });
  });

  it('refuse a file larger than the space allowed before anything is sent', async () => {
    const uploads = createUploads();
    const { lull, under } = slowLull();
    uploads.add(lull, [file('large', 2_000), file('small')], 1_000);
    await begun(under, ['small']);
    expect(uploads.store.getState()[0]!.step).toMatchObject({ kind: 'failed', sentence: expect.stringContaining('large has 2 kB') });
  });

  it('take a bounded number of files at once, and say so', async () => {
    const uploads = createUploads();
    const { lull, under } = slowLull();
    uploads.add(
      lull,
      Array.from({ length: filesMax + 3 }, (_, i) => file(`f${i}`)),
      null,
    );
    await begun(under, ['f0', 'f1']);
    expect(uploads.store.getState()).toHaveLength(filesMax + 1);
    expect(uploads.store.getState().at(-1)!.step).toMatchObject({ sentence: expect.stringContaining('the other 3 were left out') });
  });

  it('say that a folder is none of their business', async () => {
    const uploads = createUploads();
    const { lull } = slowLull();
    const folder = file('photos');
    folder.slice = () => {
      throw new DOMException('', 'NotFoundError');
    };
    uploads.add(lull, [folder], null);
    await vi.waitFor(() =>
      expect(uploads.store.getState()[0]!.step).toMatchObject({
        kind: 'failed',
        sentence: expect.stringMatching(/^photos cannot be read: it is a folder/),
      }),
    );
  });
});
