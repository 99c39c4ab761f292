// Whatever is done to four tabs, by code, by hand or by the power switch: no tab crashes, no honest item is lost, doubled or wrong, and
// memory stays level. Half a minute here, half an hour by `npm run soak`. MISCHIEF_SEED repeats the choices, not their timing.
import { expect, test } from '@playwright/test';
import { seededRandom } from '../web/kernel/testing/seeded-random.ts';
import { startServer } from './harness/server.ts';
import { honestKinds, hostileJob, outcomesHere } from './mischief/jobs.ts';
import { MischiefTab } from './mischief/tab.ts';

const long = process.env['SOAK'] !== undefined;
const lengthMs = long ? 30 * 60_000 : 30_000;
const pauseMsMax = long ? 1_000 : 500;
/** After it all is over: for the honest jobs to end, beside what is left of the others. */
const endMsMax = long ? 300_000 : 90_000;
const deadMax = 2;

interface HonestJob {
  readonly id: string;
  readonly kind: (typeof honestKinds)[number];
  readonly items: number;
}

test('half an hour of mischief costs no tab and no honest item, and memory stays level', { tag: '@long' }, async () => {
  test.setTimeout(lengthMs + endMsMax + 120_000);
  const seed = process.env['MISCHIEF_SEED'] ?? String(Math.floor(Math.random() * 1e9));
  console.log(`mischief: MISCHIEF_SEED=${seed}`);
  const random = seededRandom(seed);
  const below = (count: number) => Math.floor(random.fraction() * count);
  const server = await startServer();
  const tabs: MischiefTab[] = [];
  const honest: HonestJob[] = [];
  const hostile: { readonly id: string; readonly name: string }[] = [];
  const done = new Map<string, number>();
  const wrong: string[] = [];
  /** What a tab that is killed meanwhile cannot answer. */
  const unanswered = new Map<string, number>();
  const started = performance.now();
  try {
    tabs.push(...(await Promise.all(['one', 'two', 'three', 'four'].map((name) => MischiefTab.start(name, server.url)))));
    await Promise.all(tabs.map(({ page }) => page.waitForFunction(() => globalThis.lull.peers().length === 4)));
    const before = await Promise.all(tabs.map((tab) => tab.heap()));
    const level: number[] = [];

    /** Goes on by itself; a job counts from the moment that it is said to be handed over. */
    const handing = new Set<Promise<void>>();
    const submit = (tab: MischiefTab, spec: object, handedOver: (id: string) => void) => {
      const handed = tab.page
        .evaluate(async (text) => (await globalThis.lull.submit(JSON.parse(text))).id, JSON.stringify(spec))
        .then(handedOver)
        .catch((error: unknown) => {
          // A page that is loaded again or killed on the way has handed nothing over; only what the page itself says counts.
          if (tab.alive && !/Protocol error|detached|destroyed|closed/.test(String(error)))
            wrong.push(`${tab.name} refused a job: ${String(error)}`);
        })
        .finally(() => handing.delete(handed));
      handing.add(handed);
    };
    const compare = ({ id, kind, items }: HonestJob, outcomes: readonly (readonly [number, string])[]) => {
      const seen = new Set<number>();
      for (const [index, text] of outcomes) {
        if (seen.has(index) || index >= items) wrong.push(`item ${index} of ${kind.name} ${id} is there twice, or was never asked for`);
        seen.add(index);
        if (text !== kind.answer(index)) wrong.push(`item ${index} of ${kind.name} ${id} is ${text}`);
      }
      return seen.size;
    };
    const actions: Record<string, readonly [weight: number, act: (tab: MischiefTab) => Promise<void> | void]> = {
      touch: [10, (tab) => tab.touch(random)],
      visit: [3, (tab) => tab.visit(random)],
      hide: [2, (tab) => tab.hide()],
      show: [2, (tab) => tab.show()],
      'start or stop': [3, (tab) => tab.startOrStop()],
      reload: [1, (tab) => tab.reload()],
      kill: [
        1,
        async (tab) => {
          // The first is never killed: it has to be seen that memory is level over the whole time.
          if (tab !== tabs[0] && tabs.filter(({ alive }) => !alive).length < deadMax) await tab.kill();
        },
      ],
      'honest job': [
        3,
        (tab) => {
          const kind = honestKinds[below(honestKinds.length)]!;
          const items = 1 + below(kind.itemsMax);
          submit(tab, { name: kind.name, code: kind.code, inputs: { range: [0, items] } }, (id) => honest.push({ id, kind, items }));
        },
      ],
      'hostile job': [
        3,
        (tab) => {
          const { name, code, args } = hostileJob(random, server.url);
          const spec = { name, code, args, inputs: { range: [0, 1 + below(4)] }, limits: { itemMs: 1_500 } };
          submit(tab, spec, (id) => hostile.push({ id, name }));
        },
      ],
      look: [
        2,
        async (tab) => {
          const job = honest[below(honest.length)];
          if (job !== undefined) compare(job, (await tab.page.evaluate(outcomesHere, job.id)).outcomes);
        },
      ],
    };
    const bag = Object.entries(actions).flatMap(([name, [weight]]) => Array.from({ length: weight }, () => name));
    const reopenAt = new Map<MischiefTab, number>();
    const until = performance.now() + lengthMs;
    while (performance.now() < until) {
      const tab = tabs[below(tabs.length)]!;
      const name = bag[below(bag.length)]!;
      const wait = 1_000 + random.fraction() * 5_000;
      if (tab.alive) {
        done.set(name, (done.get(name) ?? 0) + 1);
        // A page may be on its way elsewhere, or be slow in what it shows; that it does not answer at all is found at the end.
        await Promise.resolve(actions[name]![1](tab)).catch((error: unknown) => {
          const text = `${name}: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`;
          unanswered.set(text, (unanswered.get(text) ?? 0) + 1);
        });
        if (!tab.alive) reopenAt.set(tab, performance.now() + wait);
      } else if (performance.now() >= (reopenAt.get(tab) ?? 0)) await tab.reopen();
      const minutes = Math.floor((performance.now() - started) / 60_000);
      if (level.length < minutes) {
        level.push((await tabs[0]!.heap()).heapMiB);
        console.log(`${minutes} min: ${honest.length} honest and ${hostile.length} hostile jobs, heap ${level.at(-1)!.toFixed(1)} MiB`);
      }
      await new Promise((passed) => setTimeout(passed, random.fraction() * pauseMsMax));
    }

    for (const tab of tabs) {
      if (!tab.alive) await tab.reopen();
      await tab.show();
      await tab.donate();
    }
    await Promise.all(handing);
    const endAt = performance.now();
    const [first, ...others] = tabs as [MischiefTab, ...MischiefTab[]];
    await expect
      .poll(
        async () => {
          const open = [];
          for (const job of honest) {
            const { state, outcomes } = await first.page.evaluate(outcomesHere, job.id);
            if (state === 'done' && outcomes.length === job.items) continue;
            // What cannot be read here may be there: then it is not lost, but not found.
            const elsewhere = await Promise.all(others.map(({ page }) => page.evaluate(outcomesHere, job.id)));
            const read = [outcomes, ...elsewhere.map((there) => there.outcomes)].map(({ length }) => length);
            open.push(`${job.kind.name} ${job.id}: of ${job.items} items the tabs read ${read.join(', ')}; ${state}`);
          }
          return open;
        },
        { timeout: endMsMax, intervals: [1_000] },
      )
      .toEqual([]);
    const endedMs = performance.now() - endAt;
    // Whoever is asked says the same.
    for (const tab of [first, others[below(others.length)]!])
      for (const job of honest) expect(compare(job, (await tab.page.evaluate(outcomesHere, job.id)).outcomes)).toBe(job.items);
    const states = new Map<string, number>();
    for (const { id } of hostile) {
      const state = await first.page.evaluate((job) => globalThis.lull.find(job).then((found) => found.state), id);
      states.set(state, (states.get(state) ?? 0) + 1);
    }
    const after = await Promise.all(tabs.map((tab) => tab.heap()));
    // Loaded anew it holds what it must, the jobs it keeps until they expire, and nothing that time has left behind.
    const known = await first.page.evaluate(() => globalThis.lull.jobs().length);
    await first.reload();
    await first.page.waitForFunction((jobs) => globalThis.lull.jobs().length >= jobs, { timeout: 60_000 }, known);
    for (const job of honest) await first.page.evaluate(outcomesHere, job.id);
    const anew = await first.heap();

    const list = (counts: ReadonlyMap<string, number>) => [...counts].map(([what, count]) => `${what} ${count}`).join(', ');
    console.log(`${((performance.now() - started) / 1_000).toFixed(0)} s: ${list(done)}`);
    console.log(`honest: ${honest.length} jobs, ${honest.reduce((sum, { items }) => sum + items, 0)} items, each once and right`);
    console.log(
      `the last of them ended ${(endedMs / 1_000).toFixed(1)} s after the mischief; hostile: ${hostile.length} jobs, ${list(states)}`,
    );
    for (const [at, { name }] of tabs.entries())
      console.log(
        `${name}: heap ${before[at]!.heapMiB.toFixed(1)} -> ${after[at]!.heapMiB.toFixed(1)} MiB, ${before[at]!.nodes} -> ${after[at]!.nodes} nodes`,
      );
    console.log(`${first.name}, loaded anew: heap ${anew.heapMiB.toFixed(1)} MiB`);
    if (level.length > 0) console.log(`${first.name}, each minute: ${level.map((mib) => mib.toFixed(1)).join(' ')} MiB`);
    if (unanswered.size > 0) console.log(`not done: ${list(unanswered)}`);
    expect(wrong).toEqual([]);
    expect(tabs.flatMap(({ complaints }) => complaints)).toEqual([]);
    for (const [at, { heapMiB }] of after.entries())
      expect(heapMiB - before[at]!.heapMiB).toBeLessThan(heapMiBMax(honest.length + hostile.length));
    expect(after[0]!.heapMiB - anew.heapMiB).toBeLessThan(leftMiBMax);
  } finally {
    await Promise.allSettled(tabs.map((tab) => tab.close()));
    await server.stop();
  }
});

/** What a page may grow by: by the parts of it that are loaded when they are first seen, and by what it keeps of each job until that expires. */
const heapMiBMax = (jobs: number) => 8 + jobs * 0.1;
/** What it may hold more than if it were loaded anew: those parts, and what it last showed. */
const leftMiBMax = 8;
