// put and get over a kernel that answers when the test lets it.
import { describe, expect, it } from 'vitest';
import { objectId } from '../kernel/lib/ids.ts';
import { FaultError } from '../kernel/lib/outcome.ts';
import { segmentBytes } from '../kernel/limits.ts';
import { WithBuffers } from '../kernel/service.ts';
import { getObject, getWindow, putObject, putWindow, segmentsPerBlob } from './objects.ts';
import { testBus } from './testing/test-bus.ts';

const id = objectId('ab'.repeat(32));
const whole = Uint8Array.from({ length: 11 * segmentBytes + 5 }, (_, i) => (i * 31 + (i >> 16)) & 255);
const segments = Array.from({ length: 12 }, (_, i) => whole.subarray(i * segmentBytes, (i + 1) * segmentBytes));

/** Answers by hand, in any order. */
class Gate {
  open = 0;
  most = 0;
  readonly waiting: (() => void)[] = [];
  pass(): Promise<void> {
    this.open++;
    this.most = Math.max(this.most, this.open);
    return new Promise<void>((resolve) => this.waiting.push(resolve)).finally(() => this.open--);
  }
  /** Lets the latest go first, until `done`. */
  async run(done: Promise<unknown>): Promise<void> {
    let over = false;
    void done.then(
      () => (over = true),
      () => (over = true),
    );
    while (!over) {
      this.waiting.pop()?.();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
}

function world(overrides: Parameters<typeof testBus>[0] = {}) {
  const gate = new Gate();
  const log: string[] = [];
  const bus = testBus({
    'blocks puts create': () => ({ put: 1 }),
    'blocks puts insert': async () => {
      await gate.pass();
      return {};
    },
    'blocks puts submit': () => ({ id, size: whole.length, copies: 2 }),
    'blocks puts delete': () => void log.push('given up'),
    'blocks objects get': () => ({ manifest: { size: whole.length, type: 'text/plain', segments } }),
    'blocks segments get': async ({ segment }: { segment: number }) => {
      await gate.pass();
      return new WithBuffers({ data: 0 }, [segments[segment]!]);
    },
    ...overrides,
  });
  return { gate, log, bus };
}

describe('putting', () => {
  it('has a few segments under way and no more, and tells how far it is', async () => {
    const { gate, bus } = world();
    const told: number[] = [];
    const put = putObject(bus, whole, 0, { name: 'a', onProgress: (done, all) => told.push(done / all) });
    await gate.run(put);
    expect(await put).toMatchObject({ object: id, size: whole.length, copies: 2, name: 'a' });
    expect(gate.most).toBe(putWindow);
    expect(told).toHaveLength(12);
    expect(told.at(-1)).toBe(1);
    expect(told.toSorted((a, b) => a - b)).toEqual(told);
  });

  it('sends what is small in one message, coded as files are', async () => {
    const asked: unknown[] = [];
    const { bus } = world({
      'blocks objects insert': (request: unknown) => {
        asked.push(request);
        return { id, size: 5, copies: 1 };
      },
    });
    const told: number[] = [];
    const put = putObject(bus, 'small', 7, { name: 'a', expiresAt: new Date(9), onProgress: (done) => told.push(done) });
    expect(await put).toMatchObject({ object: id, size: 5, copies: 1, name: 'a' });
    expect(asked).toEqual([{ name: 'a', type: '', expires: 9, segments: [0], coded: true }]);
    expect(told).toEqual([5]);
  });

  it('ends at once when it is called off, small as it is', async () => {
    const { bus } = world({ 'blocks objects insert': () => new Promise(() => undefined) });
    const called = new AbortController();
    const put = putObject(bus, 'small', 0, { signal: called.signal });
    await new Promise<void>((resolve) => setImmediate(resolve));
    called.abort();
    await expect(put).rejects.toMatchObject({ name: 'LullError', code: 'aborted' });
  });

  it('ends at once when it is called off, and says so to the kernel', async () => {
    const { log, bus, gate } = world();
    const called = new AbortController();
    const put = putObject(bus, whole, 0, { signal: called.signal });
    while (gate.open === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    called.abort();
    await expect(put).rejects.toMatchObject({ name: 'LullError', code: 'aborted' });
    expect(log).toEqual(['given up']);
  });

  it('ends with a sentence when a piece cannot be stored', async () => {
    const { bus } = world({
      'blocks puts insert': () => {
        throw new FaultError('storage', 'The 5 MiB that Lull may store here are full.');
      },
    });
    await expect(putObject(bus, whole, 0)).rejects.toMatchObject({
      code: 'storage',
      message: 'A piece could not be stored: The 5 MiB that Lull may store here are full.',
    });
  });
});

describe('getting', () => {
  it('has a few segments under way, in whatever order they come, and gives the whole in its own', async () => {
    const { gate, bus } = world();
    const told: number[] = [];
    const got = getObject(bus, id, { onProgress: (done) => told.push(done) });
    await gate.run(got);
    const blob = await got;
    expect(blob.type).toBe('text/plain');
    expect(Buffer.compare(new Uint8Array(await blob.arrayBuffer()), whole)).toBe(0);
    expect(gate.most).toBe(getWindow);
    expect(told.at(-1)).toBe(whole.length);
  });

  it.each([0, 1, segmentsPerBlob - 1, segmentsPerBlob, segmentsPerBlob + 1, 2 * segmentsPerBlob, 2 * segmentsPerBlob + 3])(
    'puts %i segments together that come in pieces',
    async (count) => {
      const some = Array.from({ length: count }, (_, i) => Uint8Array.of(i, i + 1, i + 2));
      const gate = new Gate();
      const bus = testBus({
        'blocks objects get': () => ({ manifest: { size: 3 * count, type: '', segments: some } }),
        'blocks segments get': async ({ segment }: { segment: number }) => {
          await gate.pass();
          return new WithBuffers({ data: 0 }, [some[segment]!.subarray(0, 1), some[segment]!.subarray(1)]);
        },
      });
      const got = getObject(bus, id);
      await gate.run(got);
      expect([...new Uint8Array(await (await got).arrayBuffer())]).toEqual(some.flatMap((segment) => [...segment]));
    },
  );

  it('ends at once when it is called off or a piece is nowhere', async () => {
    const called = new AbortController();
    const got = getObject(world().bus, id, { signal: called.signal });
    called.abort();
    await expect(got).rejects.toMatchObject({ code: 'aborted' });
    const { bus } = world({
      'blocks segments get': () => {
        throw new FaultError(
          'not-found',
          'Too few of those who hold this part of the data are here now: it can be read when more of them, or whoever put it, are back.',
        );
      },
    });
    await expect(getObject(bus, id)).rejects.toMatchObject({ code: 'not-found' });
    await expect(getObject(bus, 'no id')).rejects.toMatchObject({ code: 'bad-input' });
  });
});
