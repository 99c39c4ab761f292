// A member who keeps to the protocol and lies in what counts: every slice it gives out, of objects and of functions, has a wrong bit.
import type { AnyServiceFactory } from '../kernel/service-catalogue.ts';
import { WithBuffers, type Call, type Service } from '../kernel/service.ts';
import type { ForgeryWatch } from './forgery-watch.ts';

type Loose = Record<string, Record<string, (request: never, call: Call) => unknown>>;

export function forging(name: string, factory: AnyServiceFactory, watch: ForgeryWatch): AnyServiceFactory {
  if (name !== 'queue' && name !== 'blocks') return factory;
  return (context) => {
    const service = factory(context) as Service;
    const handlers = service.handlers as unknown as Loose;
    const forged =
      name === 'queue'
        ? {
            locks: {
              ...handlers['locks'],
              create: async (request: never, call: Call) => {
                const answer = (await handlers['locks']!['create']!(request, call)) as { granted: boolean; slice?: Uint8Array };
                if (!answer.granted || call.local) return answer;
                return { ...answer, slice: wrong(answer.slice!) };
              },
            },
          }
        : {
            slices: {
              ...handlers['slices'],
              get: async (request: never, call: Call) => {
                const answer = (await handlers['slices']!['get']!(request, call)) as WithBuffers<unknown>;
                const [bytes, ...others] = answer.buffers;
                if (call.local || bytes === undefined || bytes.length === 0) return answer;
                watch.gave(call.from, (request as { hash: string }).hash);
                return new WithBuffers(answer.body, [wrong(bytes), ...others]);
              },
            },
          };
    return {
      ...service,
      start: () => service.start(),
      stop: () => service.stop(),
      handlers: { ...handlers, ...forged },
    } as unknown as Service;
  };
}

function wrong(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  if (copy.length > 0) copy[copy.length >> 1]! ^= 4;
  return copy;
}
