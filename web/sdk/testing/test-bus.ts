// A bus whose answers a test writes by hand, for what whole kernels would never say.
import { identityId, makePeerId } from '../../kernel/lib/ids.ts';
import { failure, FaultError, success } from '../../kernel/lib/outcome.ts';
import type { Bus } from '../../kernel/service.ts';
import { WithBuffers } from '../../kernel/service.ts';

export type Answers = Record<string, (request: never) => unknown>;

export const testIdentity = identityId('1'.repeat(64));

/** `answers` go by `<service> <resource> <verb>`; whatever has none is not found. What they throw is a fault, 'unreachable' unless it says which. */
export function testBus(answers: Answers): Bus {
  return {
    self: {
      peer: makePeerId(testIdentity, new Uint8Array(8)),
      identity: testIdentity,
      network: 'test',
      group: () => '0'.repeat(32) as never,
    },
    watch: () => () => undefined,
    tell: () => undefined,
    ask: async (contract, resource, verb, request) => {
      const answer = answers[`${contract.name} ${resource} ${verb}`];
      if (answer === undefined) return failure('not-found', 'Nothing answers that here.');
      try {
        const given = await answer(request as never);
        return success(
          (given instanceof WithBuffers ? { body: given.body, buffers: given.buffers } : { body: given, buffers: [] }) as never,
        );
      } catch (error) {
        return failure(error instanceof FaultError ? error.code : 'unreachable', (error as Error).message);
      }
    },
  };
}
