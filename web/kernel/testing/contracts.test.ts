// The contract suites over the implementations in memory.
import { memoryStorage } from '../memory-storage.ts';
import { clockContract } from './clock-contract.ts';
import { coderContract } from './coder-contract.ts';
import { MemoryNetwork } from './memory-transport.ts';
import { seededRandom } from './seeded-random.ts';
import { storageContract } from './storage-contract.ts';
import { testCoder } from './test-coder.ts';
import { onClock, transportContract } from './transport-contract.ts';
import { vitestSuite } from './vitest-suite.ts';
import { VirtualClock } from './virtual-clock.ts';

clockContract(vitestSuite(), () => {
  const clock = new VirtualClock();
  return { clock, until: (condition, ms, what) => clock.until(condition, ms, what), dispose: () => undefined };
});

storageContract(vitestSuite(), () => {
  const storage = memoryStorage(seededRandom('storage'));
  return Promise.resolve({ storage, dispose: () => Promise.resolve(storage.close()) });
});

coderContract(vitestSuite(), () => testCoder);

for (const options of [{}, { jitterMs: 20, bytesPerMs: 10_000 }]) {
  transportContract(vitestSuite(JSON.stringify(options)), () => {
    const clock = new VirtualClock();
    const network = new MemoryNetwork(clock, seededRandom('transport'), options);
    return onClock(network.transport(), network.transport(), clock);
  });
}
