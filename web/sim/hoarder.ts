// A member who keeps to the protocol and plays foul with locks: takes leases of functions that it does not run, and releases and ends what others
// own with numbers it makes up. Its requests stand in the histories as everybody's do.
import { queueContract } from '../kernel/protocol/contracts/queue.ts';
import type { Tab, World } from './world.ts';

const everyMs = 400;
/** Higher than any that was given out: what it was given itself it may release and end. */
const madeUpFence = 1_000_000;
const timeoutMs = 1_000;

export async function hoard(world: World, tab: Tab, ms: number): Promise<void> {
  const { process } = tab;
  if (process === undefined) return;
  const { bus, self } = process.kernel;
  const by = self.peer;
  for (const until = world.clock.now() + ms; world.clock.now() < until && process.living.alive;) {
    for (const { id, holders } of world.queueWatch.recordsKept()) {
      for (const store of holders) {
        const peer = world.speakerOf(store);
        // With a wrong bit on its way a request asks for something else than its history says.
        if (peer === undefined || peer === by || world.live.some((other) => other.process?.junk)) continue;
        void take();
        void bus.ask(queueContract, 'locks', 'delete', { locks: [{ record: id, fence: madeUpFence }] }, { peer, timeoutMs });
        void end();

        async function end(): Promise<void> {
          const op = { kind: 'end', by, fence: madeUpFence } as const;
          const asked = world.queueWatch.asked(store, id, { ...op, answer: null });
          const reply = await bus.ask(queueContract, 'records', 'delete', { record: id, fence: madeUpFence }, { peer: peer!, timeoutMs });
          if (reply.ok) world.queueWatch.answered(asked, { ...op, answer: 'ended' });
          else if (reply.fault.code === 'conflict') world.queueWatch.answered(asked, { ...op, answer: 'conflict' });
        }

        async function take(): Promise<void> {
          const asked = world.queueWatch.asked(store, id, { kind: 'lock', by, fence: null });
          const reply = await bus.ask(queueContract, 'locks', 'create', { record: id }, { peer: peer!, timeoutMs });
          const grant = reply.ok ? reply.value.body : undefined;
          if (grant?.granted === true) world.queueWatch.answered(asked, { kind: 'lock', by, fence: grant.fence });
          else if (grant !== undefined && grant.why !== 'decided') world.queueWatch.refused(store, id, asked);
        }
      }
    }
    await new Promise<void>((resolve) => world.later(everyMs, resolve));
  }
}
