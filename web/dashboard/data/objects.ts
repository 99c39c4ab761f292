// What the page asks the kernel about objects. Components see these plain values, no kernel.
import { isHex64, objectId } from '../../kernel/lib/ids.ts';
import { blocksContract } from '../../kernel/protocol/contracts/blocks.ts';
import type { ReplyOf, RequestOf } from '../../kernel/protocol/contract.ts';
import type { Bus } from '../../kernel/service.ts';
import type { ObjectRef } from '../../sdk/types.ts';
import type { Health } from './health.ts';

type Page = ReplyOf<typeof blocksContract, 'objects', 'query'>;
export type ObjectInfo = Page['objects'][number];

export interface Seen extends Health {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly expires: number;
  readonly by: string;
  readonly lossEstimate: number;
  readonly heldHereBytes: number;
  readonly repairing: boolean;
}

export interface Listed {
  readonly objects: readonly ObjectInfo[];
  /** There are more than were asked for. */
  readonly more: boolean;
}

export interface ObjectSource {
  /** At most `max` of one's own, or of those kept for others. Rejects with a sentence. */
  list(of: 'mine' | 'kept', max: number, named?: boolean): Promise<Listed>;
  /** An object by its id, whoever put it: asked of the network. Rejects with a sentence. */
  look(id: string): Promise<Seen>;
  /** What the API takes for it. Rejects with a sentence. */
  reference(id: string): Promise<ObjectRef>;
  /** Its first bytes, at least as many as fit one segment. Rejects with a sentence. */
  head(id: string): Promise<{ readonly bytes: Uint8Array; readonly size: number; readonly name: string }>;
}

/** Between two of these the page may draw: health of thousands of objects is not had in one go. */
const perAsk = 500;
const lookTimeoutMs = 20_000;
const breath = () => new Promise<void>((resolve) => setTimeout(resolve));

/** `bus` is the kernel's of the moment: it is another one when this tab takes the profile's store over. */
export function objectSource(bus: () => Bus): ObjectSource {
  const pageOf = async (request: RequestOf<typeof blocksContract, 'objects', 'query'>): Promise<Page> => {
    const answer = await bus().ask(blocksContract, 'objects', 'query', request);
    if (!answer.ok) throw new Error(answer.fault.message);
    return answer.value.body;
  };
  const manifestOf = async (text: string) => {
    if (!isHex64(text)) throw new Error('That is no reference to an object: it has 64 digits from 0 to f.');
    const id = objectId(text);
    const found = await bus().ask(blocksContract, 'objects', 'get', { id }, { timeoutMs: lookTimeoutMs });
    if (!found.ok) throw new Error(found.fault.message);
    return { id, manifest: found.value.body.manifest };
  };
  return {
    async list(of, max, named = false) {
      const objects: ObjectInfo[] = [];
      let next: Page['next'] = null;
      do {
        if (next !== null) await breath();
        const page = await pageOf({ of, named, max: Math.min(perAsk, max - objects.length), ...(next !== null && { after: next }) });
        objects.push(...page.objects);
        next = page.next;
      } while (next !== null && objects.length < max);
      return { objects, more: next !== null };
    },
    async reference(text) {
      const { id, manifest } = await manifestOf(text);
      return { object: id, size: manifest.size, name: manifest.name, type: manifest.type };
    },
    async head(text) {
      const { id, manifest } = await manifestOf(text);
      const first = await bus().ask(blocksContract, 'segments', 'get', { object: id, segment: 0 }, { timeoutMs: lookTimeoutMs });
      if (!first.ok) throw new Error(first.fault.message);
      const { body, buffers } = first.value;
      return { bytes: buffers[body.data] ?? new Uint8Array(0), size: manifest.size, name: manifest.name };
    },
    async look(text) {
      const { id, manifest } = await manifestOf(text);
      const held = await bus().ask(blocksContract, 'objects', 'lookup', { id }, { timeoutMs: lookTimeoutMs });
      if (!held.ok) throw new Error(held.fault.message);
      const { name, type, size, expires, by } = manifest;
      const { copies: _, ...health } = held.value.body;
      return { id, name, type, size, expires, by, ...health };
    },
  };
}
