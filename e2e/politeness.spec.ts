// How a donor's tab makes way for its person: at once, without flapping, and nothing is lost by it. All of it by `npm run soak`: what is typed in
// main-job.spec.ts is its short form.
import { busyCode, committed, expect, submitRange, test } from './harness/cluster.ts';
import { donate, seesMembers } from './harness/profile.ts';
import { politeDonor } from './harness/stand-ins.ts';

test('input leaves no worker after 100 ms', { tag: ['@alone', '@soak'] }, async ({ cluster }) => {
  const rounds = 50;
  test.setTimeout(30_000 + rounds * 5_000);
  const { page } = await politeDonor(cluster);
  await donate(page, { cores: 1, idleAfterSeconds: 0.3, whenBusy: 'yield' });
  const job = await submitRange(page, 'Polite', busyCode(10), 1_000_000);
  const tookMs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    // The person's own word starts it at once, whatever else runs on this machine.
    await expect(async () => {
      await page.evaluate(() => globalThis.lull.donate(true, {}));
      await page.waitForFunction(
        () => globalThis.lull.metrics().running.some((run) => run.phase === 'running' && run.finished > 0),
        undefined,
        { timeout: 3_000, polling: 20 },
      );
    }).toPass({ timeout: 60_000, intervals: [0] });
    await page.evaluate(() => {
      const times = { pressed: 0, gone: 0 };
      Object.assign(globalThis, { times });
      const look = () => {
        if (times.pressed > 0 && document.querySelector('iframe') === null) times.gone ||= performance.now();
      };
      const pressed = (event: KeyboardEvent) => {
        times.pressed ||= event.timeStamp;
        // Where they were gone already, by chance, nothing changes any more.
        look();
      };
      window.addEventListener('keydown', pressed, { capture: true, once: true });
      new MutationObserver(look).observe(document.body, { childList: true });
    });
    await page.keyboard.press('a');
    const times = await page.waitForFunction(() => {
      const { pressed, gone } = (globalThis as unknown as { times: { pressed: number; gone: number } }).times;
      return gone > 0 ? { pressed, gone } : undefined;
    });
    const { pressed, gone } = (await times.jsonValue())!;
    tookMs.push(gone - pressed);
  }
  tookMs.sort((a, b) => a - b);
  const [median, p95, most] = [tookMs[rounds >> 1]!, tookMs[Math.ceil(rounds * 0.95) - 1]!, tookMs.at(-1)!];
  console.log(
    `${rounds} times input to no frame left: median ${median.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms, most ${most.toFixed(1)} ms`,
  );
  expect(p95).toBeLessThan(100);
  await page.evaluate((id) => globalThis.lull.job(id)!.cancel(), job);
});

test('signals that waver start work at most once a quiet time', { tag: ['@alone', '@soak'] }, async ({ cluster }) => {
  const [quietMs, lengthMs] = [5_000, 300_000] as const;
  test.setTimeout(60_000 + lengthMs);
  const { page } = await politeDonor(cluster);
  await donate(page, { cores: 1, idleAfterSeconds: quietMs / 1_000, whenBusy: 'yield' });
  await page.evaluate(
    ([untilMs, pauseMs]) => {
      const log = { starts: [] as number[], quiets: 0, steps: 0, done: false };
      Object.assign(globalThis, { log });
      let allowed = globalThis.lull.metrics().resources.workersAllowed > 0;
      const look = setInterval(() => {
        const { workersAllowed } = globalThis.lull.metrics().resources;
        if (workersAllowed > 0 && !allowed) log.starts.push(performance.now());
        allowed = workersAllowed > 0;
      }, 5);
      // Somebody who comes and goes, a plug and a network that waver: by a fixed recurrence.
      const begin = performance.now();
      let draw = 7;
      const step = () => {
        draw = (draw * 1_103_515_245 + 12_345) % 2_147_483_648;
        const { battery, connection } = globalThis.standIns;
        const kind = (draw >> 8) % 7;
        if (kind === 0) window.dispatchEvent(new KeyboardEvent('keydown', { key: 'a' }));
        if (kind === 1) document.dispatchEvent(new Event('visibilitychange'));
        if (kind === 2 || kind === 3) {
          battery.charging = kind === 3;
          battery.dispatchEvent(new Event('chargingchange'));
        }
        if (kind === 4 || kind === 5) {
          connection.saveData = kind === 4;
          connection.dispatchEvent(new Event('change'));
        }
        log.steps++;
        const left = untilMs - (performance.now() - begin);
        // Now and then it is quiet for long enough.
        const quiet = kind === 6 || left <= 0;
        if (quiet) {
          log.quiets++;
          battery.charging = true;
          battery.dispatchEvent(new Event('chargingchange'));
          connection.saveData = false;
          connection.dispatchEvent(new Event('change'));
        }
        if (left > 0) setTimeout(step, quiet ? pauseMs : ((draw >> 16) % 250) * (pauseMs / 1_700));
        else
          setTimeout(() => {
            clearInterval(look);
            log.done = true;
          }, pauseMs);
      };
      step();
    },
    [lengthMs, quietMs * 1.7] as const,
  );
  const read = () =>
    page.evaluate(() => (globalThis as unknown as { log: { starts: number[]; quiets: number; steps: number; done: boolean } }).log);
  await expect.poll(async () => (await read()).done, { timeout: lengthMs + 30_000, intervals: [200] }).toBe(true);
  const { starts, quiets, steps } = await read();
  const gaps = starts.slice(1).map((at, i) => at - starts[i]!);
  console.log(
    `${steps} signals, ${quiets} quiet times, ${starts.length} starts, at least ${Math.round(Math.min(...gaps, Infinity))} ms apart`,
  );
  expect(steps).toBeGreaterThan(15);
  expect(starts.length).toBeGreaterThan(0);
  expect(starts.length).toBeLessThanOrEqual(quiets);
  // Looked at every few milliseconds: hence the little less.
  for (const gap of gaps) expect(gap).toBeGreaterThan(quietMs - 60);
});

test('Stop gives back what was claimed at once; finishing first hands in what runs', { tag: ['@alone', '@soak'] }, async ({ cluster }) => {
  const donor = await cluster.join();
  const submitter = await cluster.join();
  const { page } = donor;
  await donate(page);
  await seesMembers(submitter.page, 2);
  const job = await submitRange(submitter.page, 'Given back', busyCode(50), 4_000);
  await committed(submitter.page, job, 10);
  const claimed = () =>
    submitter.page.evaluate(
      async (id) => (await globalThis.lull.job(id)!.overview()).spans.filter(({ state }) => state === 'claimed').length,
      job,
    );
  await expect.poll(claimed).toBeGreaterThan(0);
  await page.getByRole('button', { name: 'Stop donating' }).click();
  await expect(page.locator('iframe')).toHaveCount(0);
  // Well before any lease would have ended by itself.
  await expect.poll(claimed, { timeout: 3_000, intervals: [50] }).toBe(0);
  const before = await submitter.page.evaluate((id) => globalThis.lull.job(id)!.progress.committed, job);

  await donate(page);
  await page.waitForFunction(() => globalThis.lull.metrics().running.some((run) => run.phase === 'running'));
  await page.getByRole('button', { name: 'Finish current parts, then stop' }).click();
  await expect.poll(() => page.evaluate(() => globalThis.lull.metrics().resources.reason.code), { timeout: 30_000 }).toBe('not-donating');
  await expect.poll(claimed, { timeout: 3_000, intervals: [50] }).toBe(0);
  await committed(submitter.page, job, before + 1);
  await submitter.page.evaluate((id) => globalThis.lull.job(id)!.cancel(), job);
});
