// A ledger and result objects of one made-up job over a range, for the tests of what reads them.
import { hexOf } from '../../kernel/lib/bytes.ts';
import { objectId, type EventId, type ObjectId } from '../../kernel/lib/ids.ts';
import { pack, unpack } from '../../kernel/lib/packed.ts';
import { encodeResultBlob } from '../../kernel/lib/result-blob.ts';
import { encodeValue } from '../../kernel/lib/value-codec.ts';
import type { DecidedSpan } from '../../kernel/protocol/contracts/ledger.ts';
import { acceptedSpansMax } from '../../kernel/protocol/event.ts';
import { WithBuffers } from '../../kernel/service.ts';
import { someActor, someEvent, someIdentity, hexNumber, manifestOf } from '../../kernel/testing/made-up-jobs.ts';
import { testBus, testIdentity } from './test-bus.ts';

export class MadeUpResults {
  readonly accepted: { readonly range: readonly [number, number]; readonly event: EventId }[] = [];
  readonly manifest;
  readonly bus;
  spans: DecidedSpan[] = [];
  /** Objects nobody can be asked for now. */
  readonly away = new Set<ObjectId>();
  /** Runs before a result object is handed out. */
  beforeBlob: () => void | Promise<void> = () => undefined;
  readonly #objects = new Map<ObjectId, Uint8Array>();
  #objectsMade = 0;

  constructor(items: number) {
    this.manifest = manifestOf(items, { submitter: testIdentity, network: 'test' });
    this.bus = testBus({
      'ledger decisions query': ({ from, max }: { from: number; max: number }) => ({
        spans: this.spans.filter(({ range }) => range[1] > from).slice(0, max),
      }),
      'ledger events create': ({ body }: { body: { spans: { range: [number, number]; event: EventId }[] } }) => {
        if (body.spans.length > acceptedSpansMax) throw new Error('Nobody would take that event.');
        this.accepted.push(...body.spans);
        for (const taken of body.spans)
          for (const span of this.spans)
            if (span.event === taken.event && span.range[0] >= taken.range[0] && span.range[1] <= taken.range[1]) span.accepted = true;
        return { event: someEvent(0), acknowledged: 1 };
      },
      'blocks objects get': ({ id }: { id: ObjectId }) => {
        const bytes = this.#held(id);
        return {
          manifest: {
            v: 1,
            size: bytes.length,
            name: '',
            type: '',
            expires: 0,
            k: 1,
            n: 1,
            segments: [{ size: bytes.length, hash: hexNumber(1) }],
            holders: [],
          },
        };
      },
      'blocks segments get': async ({ object }: { object: ObjectId }) => {
        await this.beforeBlob();
        return new WithBuffers({ data: 0 }, [this.#held(object)]);
      },
    });
  }

  object(bytes: Uint8Array): ObjectId {
    const id = objectId(hexNumber(++this.#objectsMade));
    this.#objects.set(id, bytes);
    return id;
  }

  /** A result object over [first, first + values.length). */
  blob(first: number, values: readonly unknown[]): ObjectId {
    return this.object(
      this.bytesOf(
        first,
        values.map((value) => encodeValue(value)),
      ),
    );
  }

  bytesOf(first: number, encoded: readonly Uint8Array[]): Uint8Array {
    return encodeResultBlob({
      first,
      values: unpack(pack(encoded))!,
      tookMs: new Float32Array(encoded.length).fill(5),
      errors: [],
      logs: [],
    });
  }

  decide(range: [number, number], event: number, result: ObjectId, outcome: 'ok' | 'failed' = 'ok'): void {
    const identity = someIdentity(7);
    this.spans.push({
      range,
      outcome,
      event: someEvent(event),
      result,
      resultHash: hexOf(new Uint8Array(32)),
      by: identity,
      actor: someActor(identity),
      tookMs: 5,
      accepted: false,
    });
    this.spans.sort((a, b) => a.range[0] - b.range[0]);
  }

  #held(id: ObjectId): Uint8Array {
    const bytes = this.#objects.get(id);
    if (bytes === undefined || this.away.has(id)) throw new Error('Nobody who is here now knows this object.');
    return bytes;
  }
}
