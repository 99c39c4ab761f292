// Somebody who does the handshake with a kernel honestly and then sends whatever a test wants.
import { makePeerId, type PeerId } from '../lib/ids.ts';
import { decodeWire, encodeWire } from '../lib/wire-codec.ts';
import type { Link, Platform } from '../platform.ts';
import { handshake } from '../network/handshake.ts';
import { pieceLast } from '../protocol/frame.ts';
import type { Self } from '../service.ts';
import type { MemoryNetwork } from './memory-transport.ts';
import { testPlatform } from './test-kernel.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface Stranger {
  readonly platform: Platform;
  readonly self: Self;
  readonly peer: PeerId;
  readonly link: Link;
  /** Control frames heard, decoded where they came whole. */
  readonly heard: () => Record<string, unknown>[];
  readonly send: (frame: unknown) => void;
  /** A request to the victim's clock, as an honest tab would make it. */
  readonly request: (more?: Record<string, unknown>) => Record<string, unknown>;
}

export async function stranger(name: string, clock: VirtualClock, net: MemoryNetwork, victim: Self): Promise<Stranger> {
  const { platform } = testPlatform({ name, clock, transport: net.transport() });
  const { identity } = platform.signer;
  const peer = makePeerId(identity, platform.random.bytes(8));
  const self = { ...victim, peer, identity };
  await platform.transport.start(peer, () => undefined);
  const dialled = await clock.finish(platform.transport.dial(victim.peer));
  if (!dialled.ok) throw new Error(dialled.fault.message);
  const link = dialled.value;
  const proven = await clock.finish(handshake(link, platform, self, { bindings: ['msgpack'], store: null, admits: () => undefined }));
  if (!proven.ok) throw new Error(proven.fault.message);
  const messages: Uint8Array[] = [];
  proven.value.listen(
    (message) => messages.push(message),
    () => undefined,
  );
  await clock.advance(5);
  return {
    platform,
    self,
    peer,
    link,
    heard: () => messages.map((message) => decodeWire(message.subarray(1)) as Record<string, unknown>),
    send: (frame) => link.control.send(Uint8Array.from([pieceLast, ...encodeWire(frame)])),
    request: (more) => ({
      t: 'request',
      id: 1,
      to: 'network/clock',
      from: 'test',
      verb: 'get',
      deadline: 1_000,
      trace: '0'.repeat(16),
      body: {},
      ...more,
    }),
  };
}
