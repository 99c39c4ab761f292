import { describe, expect, it } from 'vitest';
import { failure, success } from '../kernel/lib/outcome.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { seededRandom } from '../kernel/testing/seeded-random.ts';
import { VirtualClock } from '../kernel/testing/virtual-clock.ts';
import { PageKernel } from './page-kernel.ts';
import { testBus } from './testing/test-bus.ts';

const kernel = (stopped: () => void) => ({ bus: testBus({}), stop: async () => stopped() }) as unknown as Kernel;

function pageKernel() {
  const clock = new VirtualClock();
  const problems: string[] = [];
  return { clock, problems, page: new PageKernel(clock, seededRandom('page'), {} as never, (sentence) => problems.push(sentence)) };
}

describe('the kernel of the page', () => {
  it('is ready after a while even where nobody answers, and is told anew to those who use it when it is started anew', async () => {
    const { clock, page } = pageKernel();
    const told: unknown[] = [];
    const stopped: number[] = [];
    page.onKernel((bus) => told.push(bus));
    expect(() => page.bus()).toThrow('await lull.ready first');
    await page.run(async () => success(kernel(() => stopped.push(1))));
    await clock.finish(page.started);
    await page.run(async () => success(kernel(() => stopped.push(2))));
    expect([told.length, stopped]).toEqual([2, [1]]);
    expect(page.bus()).toBe(told[1]);
    await page.stop();
    expect(stopped).toEqual([1, 2]);
  });

  it('is started again where a service took longer than it may, on a machine with far too much to do, and not for ever', async () => {
    const { problems, page } = pageKernel();
    let starts = 0;
    const slow = (times: number) => async () =>
      starts++ < times ? failure('too-late', 'The service "blocks" did not start within 20 s.') : success(kernel(() => undefined));
    await page.run(slow(2));
    expect([starts, problems]).toEqual([3, []]);
    expect(page.bus()).toBeDefined();
    starts = 0;
    await page.run(slow(99));
    expect([starts, problems]).toEqual([4, ['The service "blocks" did not start within 20 s.']]);
  });

  it('that throws at its start is told in a sentence, and does not keep the next from starting', async () => {
    const { problems, page } = pageKernel();
    expect(await page.run(() => Promise.reject(new Error('no IndexedDB')))).toBe(false);
    expect(problems).toEqual(['Lull could not start: no IndexedDB']);
    await expect(page.started).rejects.toMatchObject({ code: 'internal' });
    expect(await page.run(async () => success(kernel(() => undefined)))).toBe(true);
    expect(page.bus()).toBeDefined();
  });
});
