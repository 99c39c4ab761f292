// A job of 1 000 000 items: how long the Job page's main thread is ever held while it runs, and how much memory the page takes.
import type { Page } from 'playwright';
import { donate, Profile, seesMembers } from '../harness/profile.ts';
import type { Server } from '../harness/server.ts';

const items = 1_000_000;
const taskMsMax = 50;
const memoryMiBMax = 300;
const watchMsMax = 180_000;

/** Looks at the page of a running job of a million items, from its first item to its last or for three minutes. */
export async function million(server: Server): Promise<void> {
  // Room for figures that are not rounded to the megabyte.
  const profile = await Profile.open({ extraArgs: ['--enable-precise-memory-info'] });
  const others = await Promise.all([Profile.open(), Profile.open()]);
  try {
    for (const other of others) await donate(await other.tab(server.url));
    const page = await profile.tab(server.url);
    await seesMembers(page, 3);
    const job = await page.evaluate(
      async (count) =>
        (
          await globalThis.lull.submit({
            name: 'A million',
            code: 'export default (n) => (n * 2654435761) % 1000;',
            inputs: { range: [0, count] },
          })
        ).id,
      items,
    );
    await page.evaluate((id) => {
      const seen = { longest: 0, over: 0, tasks: [] as number[], memory: 0 };
      Object.assign(globalThis, { seen });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) {
          seen.longest = Math.max(seen.longest, duration);
          seen.over++;
          seen.tasks.push(Math.round(duration));
        }
      }).observe({ type: 'longtask' });
      setInterval(() => {
        const { memory } = performance as unknown as { memory: { usedJSHeapSize: number } };
        seen.memory = Math.max(seen.memory, memory.usedJSHeapSize);
      }, 250);
      history.pushState(null, '', `/jobs/${id}`);
      dispatchEvent(new PopStateEvent('popstate'));
    }, job);
    const { state, committed, seconds } = await watch(page, job);
    const seen = await page.evaluate(() => (globalThis as unknown as { seen: { longest: number; tasks: number[]; memory: number } }).seen);
    const memoryMiB = seen.memory / 2 ** 20;
    const met = seen.longest < taskMsMax && memoryMiB < memoryMiBMax;
    console.log(
      `${met ? 'met    ' : 'NOT met'}  Job page of ${items.toLocaleString('en')} items: longest main-thread task ${seen.longest === 0 ? 'under 50' : Math.round(seen.longest)} ms (${seen.tasks.length} over 50 ms: ${seen.tasks.slice(0, 20).join(', ')}), ` +
        `${Math.round(memoryMiB)} MiB of heap at most, targets ${taskMsMax} ms and ${memoryMiBMax} MiB; ${state}, ${committed.toLocaleString('en')} items in ${seconds.toFixed(0)} s`,
    );
  } finally {
    await Promise.allSettled([profile, ...others].map((each) => each.close()));
  }
}

async function watch(page: Page, job: string): Promise<{ state: string; committed: number; seconds: number }> {
  const begunAt = Date.now();
  for (;;) {
    const { state, committed } = await page.evaluate((id) => {
      const { state: now, progress } = globalThis.lull.job(id)!;
      return { state: now, committed: progress.committed };
    }, job);
    const ms = Date.now() - begunAt;
    if (state === 'done' || ms > watchMsMax) return { state, committed, seconds: ms / 1_000 };
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
