// Whole kernels over the memory network, for tests.
import { startKernel, type Kernel } from '../kernel.ts';
import { memoryStorage } from '../memory-storage.ts';
import type { Directory, Platform, Transport } from '../platform.ts';
import type { AnyServiceFactory } from '../service-catalogue.ts';
import { seededRandom } from './seeded-random.ts';
import { testCoder } from './test-coder.ts';
import { testDigest, testSigner } from './test-crypto.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface TestPlatformOptions {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly transport: Transport;
  readonly directory?: Directory;
}

export interface Report {
  readonly level: 'info' | 'warning' | 'bug';
  readonly message: string;
  readonly detail: unknown;
}

/** A platform whose reports are kept; without sandbox, person or directory unless given. */
export function testPlatform({ name, clock, transport, directory }: TestPlatformOptions): { platform: Platform; reports: Report[] } {
  const random = seededRandom(name);
  const reports: Report[] = [];
  const platform: Platform = {
    clock,
    random,
    digest: testDigest,
    coder: testCoder,
    signer: testSigner(name),
    storage: memoryStorage(random, { durable: true }),
    transport,
    directory: directory ?? { start: () => undefined, stop: () => undefined },
    sandbox: { open: () => Promise.reject(new Error('no sandbox in this test')), warm: () => undefined },
    machine: { cores: 2, memoryMiB: null, watch: () => () => undefined, visible: () => true },
    report: (level, message, detail) => reports.push({ level, message, detail }),
  };
  return { platform, reports };
}

export function bootDocument(services: readonly string[], bindings: readonly string[] = ['msgpack']): string {
  const tags = (tag: string, names: readonly string[]) => names.map((name) => `<${tag} name="${name}"/>`).join('');
  return `<lull version="1"><security-manager/><uri-manager/><dispatcher/><drivers><driver name="webrtc"/></drivers>
    <network-manager>${tags('binding', bindings)}</network-manager><services>${tags('service', services)}</services></lull>`;
}

export interface TestKernel extends Kernel {
  readonly platform: Platform;
  readonly reports: readonly Report[];
}

/** Starts a kernel with these services and no others. @throws Error when it does not start */
export async function testKernel(
  options: TestPlatformOptions & { readonly network?: string; readonly services?: Readonly<Record<string, AnyServiceFactory>> },
): Promise<TestKernel> {
  const { platform, reports } = testPlatform(options);
  const services = options.services ?? {};
  const kernel = await startKernel(platform, {
    bootDocument: bootDocument(Object.keys(services)),
    network: options.network ?? 'public',
    catalogue: new Map(Object.entries(services)),
  });
  if (!kernel.ok) throw new Error(kernel.fault.message);
  return { ...kernel.value, platform, reports };
}
