// Why nothing, or not more, runs: every reason is brought about, and read on the page, in lull.metrics() and by another member.
import { spawn, type ChildProcess } from 'node:child_process';
import { cpus } from 'node:os';
import type { Page } from '@playwright/test';
import { reasonCodes, reasonHere, reasonThere, type ReasonCode } from '../web/kernel/protocol/reasons.ts';
import { busyCode, expect, submitRange, test } from './harness/cluster.ts';
import { hideableTab } from './harness/hideable.ts';
import { donate, seesMembers } from './harness/profile.ts';
import type { Metrics } from '../web/sdk/types.ts';
import { politeDonor, setBattery, setHeapShare, setPressure, setSaveData } from './harness/stand-ins.ts';

const ofTheMachine = [
  'not-asked',
  'in-use',
  'cooling',
  'on-battery',
  'battery-low',
  'metered',
  'in-use-elsewhere',
  'memory-limit',
  'upload-used',
  'download-used',
  'schedule',
  'memory-low',
  'pressure',
  'other-tab',
  'paused',
  'not-donating',
  'storage-full',
] as const satisfies readonly ReasonCode[];
const ofWork = ['slow-page', 'finishing', 'yielding'] as const satisfies readonly ReasonCode[];
const ofVisibility = ['shown', 'frozen'] as const satisfies readonly ReasonCode[];

test('every reason there is has its place in these tests', () => {
  expect([...ofTheMachine, ...ofWork, ...ofVisibility].toSorted()).toEqual(reasonCodes.toSorted());
});

const reasonOf = (page: Page) => page.evaluate(() => globalThis.lull.metrics().resources.reason.code);
const limits = (page: Page, change: object) => page.evaluate((limit) => globalThis.lull.donate(true, limit), change);
const free = (page: Page) => expect.poll(() => reasonOf(page), { message: 'nothing holds it back', intervals: [20] }).toBe('');

/** Said on the page in its own words, and by lull.metrics(). */
async function said(page: Page, code: ReasonCode): Promise<void> {
  await expect.poll(() => reasonOf(page), { message: code, intervals: [20], timeout: 30_000 }).toBe(code);
  // The heading says the first of these without its full stop.
  await expect(page.getByText(reasonHere(code).replace(/\.$/, '')).first()).toBeVisible();
}

test(
  'what the machine and its person say is named on the page, in metrics and to the others of the group',
  { tag: ['@alone', '@soak'] },
  async ({ cluster }) => {
    const { page, profile, devtools } = await politeDonor(cluster);
    const watcher = await cluster.join('/network');
    let me = await page.evaluate(() => globalThis.lull.self.peer);
    await seesMembers(watcher.page, 2);
    const reached = new Set<ReasonCode>();
    const toldOthers = (code: string) =>
      expect
        .poll(() => watcher.page.evaluate((peer) => globalThis.lull.peers().find((each) => each.peer === peer)?.offer?.reason, me), {
          message: `${code}, to others`,
          intervals: [20],
        })
        .toBe(code);
    const reaches = async (code: ReasonCode) => {
      await said(page, code);
      await toldOthers(code);
      reached.add(code);
    };

    await expect.poll(() => reasonOf(page)).toBe('not-asked');
    reached.add('not-asked');
    await donate(page, { whenBusy: 'yield', idleAfterSeconds: 0.8 });
    await free(page);

    await page.keyboard.press('a');
    await reaches('in-use');
    await free(page);
    await limits(page, { idleAfterSeconds: 4 });
    await page.keyboard.press('a');
    await reaches('cooling');
    await limits(page, { idleAfterSeconds: 0.8 });
    await free(page);

    await setBattery(page, false);
    await reaches('on-battery');
    // The others read it in words about that machine.
    await watcher.page
      .getByRole('button', { pressed: false })
      .filter({ hasText: await page.evaluate(() => globalThis.lull.self.name) })
      .first()
      .click();
    await expect(watcher.page.getByText(reasonThere('on-battery'))).toBeVisible();
    await limits(page, { onBattery: true });
    await free(page);
    await setBattery(page, false, 0.1);
    await reaches('battery-low');
    await setBattery(page, true);
    await setSaveData(page, true);
    await reaches('metered');
    await setSaveData(page, false);
    await free(page);

    const maySeeIdle = (setting: 'granted' | 'denied') =>
      devtools.send('Browser.setPermission', { permission: { name: 'idle-detection' }, setting, origin: cluster.server.url });
    await maySeeIdle('granted');
    await devtools.send('Emulation.setIdleOverride', { isUserActive: true, isScreenUnlocked: true });
    await reaches('in-use-elsewhere');
    await devtools.send('Emulation.setIdleOverride', { isUserActive: false, isScreenUnlocked: false });
    await free(page);
    await maySeeIdle('denied');

    for (const [code, change, back] of [
      ['memory-limit', { memoryMiB: 64 }, { memoryMiB: 2_048 }],
      ['upload-used', { uploadMiBPerDay: 0 }, { uploadMiBPerDay: 1_000 }],
      ['download-used', { downloadMiBPerDay: 0 }, { downloadMiBPerDay: 1_000 }],
    ] as const) {
      await limits(page, change);
      await reaches(code);
      await limits(page, back);
    }
    await page.evaluate(async () => {
      const minute = new Date().getHours() * 60 + new Date().getMinutes();
      const schedule = [{ days: [0, 1, 2, 3, 4, 5, 6], from: (minute + 120) % 1_440, until: (minute + 180) % 1_440 }];
      await globalThis.lull.donate(true, { schedule });
    });
    await reaches('schedule');
    await limits(page, { schedule: [] });
    await setHeapShare(page, 0.95);
    await reaches('memory-low');
    await setHeapShare(page, 0.1);
    await setPressure(devtools, 'critical');
    await reaches('pressure');
    await setPressure(devtools, 'nominal');
    await free(page);

    await page.getByRole('button', { name: 'Pause for an hour' }).click();
    await reaches('paused');
    await page.getByRole('button', { name: 'Go on now' }).click();
    await free(page);

    const second = await profile.tab(cluster.server.url);
    await expect.poll(() => reasonOf(second)).toBe('other-tab');
    reached.add('other-tab');
    await second.close();
    await page.evaluate(() => globalThis.lull.donate(false));
    await expect.poll(() => reasonOf(page)).toBe('not-donating');
    reached.add('not-donating');
    await donate(page, { whenBusy: 'yield', idleAfterSeconds: 0.8 });
    await page.addInitScript(() => {
      navigator.storage.estimate = () => Promise.resolve({ quota: 4 * 1024 * 1024, usage: 0 });
    });
    await page.reload();
    await page.evaluate(() => globalThis.lull.ready);
    me = await page.evaluate(() => globalThis.lull.self.peer);
    await reaches('storage-full');
    expect([...reached].toSorted()).toEqual(ofTheMachine.toSorted());
  },
);

test('a slow page, the last parts and other programs are named while work runs', { tag: ['@alone', '@soak'] }, async ({ cluster }) => {
  const { page } = await politeDonor(cluster);
  // One core also beside the person: else the way to the button would stop all there is to finish.
  await donate(page, { cores: 1, coresInUse: 1, idleAfterSeconds: 0.3, whenBusy: 'yield' });
  const job = await submitRange(page, 'In the way', busyCode(10), 1_000_000);
  const works = () =>
    page.waitForFunction(() => globalThis.lull.metrics().running.some((run) => run.phase === 'running' && run.finished > 0), undefined, {
      timeout: 60_000,
    });
  await works();
  await page.evaluate(async () => {
    for (let frame = 0; frame < 3; frame++) {
      await new Promise((drawn) => requestAnimationFrame(drawn));
      const end = performance.now() + 300;
      while (performance.now() < end);
    }
  });
  await said(page, 'slow-page');
  await works();
  await page.getByRole('button', { name: 'Finish current parts, then stop' }).click();
  await said(page, 'finishing');
  await expect.poll(() => reasonOf(page), { timeout: 30_000 }).toBe('not-donating');
  await donate(page, { cores: 1, idleAfterSeconds: 0.3, whenBusy: 'yield' });
  await works();
  const others: ChildProcess[] = [];
  try {
    for (let i = 0; i < 2 * cpus().length; i++) others.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
    await said(page, 'yielding');
    await expect.poll(() => page.evaluate(() => globalThis.lull.metrics().resources.workersAllowed)).toBe(0);
  } finally {
    for (const other of others) other.kill('SIGKILL');
  }
  await page.evaluate((id) => globalThis.lull.job(id)!.cancel(), job);
});

test(
  'a tab that is hidden works, stops when it is shown, and says that it is put to sleep',
  { tag: ['@alone', '@soak'] },
  async ({ cluster }) => {
    const watcher = await cluster.join('/network');
    const tab = await hideableTab(cluster.server.url);
    try {
      const { page } = tab;
      const state = () => page.evaluate(() => globalThis.lull.metrics().resources);
      await page.evaluate(() => globalThis.lull.donate(true, { cores: 1, idleAfterSeconds: 2, whenBusy: 'yield' }));
      await seesMembers(watcher.page, 2);
      await tab.hide();
      expect(await page.evaluate(() => document.visibilityState)).toBe('hidden');
      // Nobody can touch what nobody sees: it waits for a second, not for two.
      await expect.poll(async () => (await state()).workersAllowed, { intervals: [20] }).toBe(1);
      expect((await state()).quietMs).toBeLessThan(2_000);
      await tab.show();
      await expect.poll(async () => (await state()).reason.code, { intervals: [10] }).toBe('shown');
      expect((await state()).workersAllowed).toBe(0);
      expect(await page.evaluate(() => document.body.innerText)).toContain(reasonHere('shown').replace(/\.$/, ''));
      await expect.poll(async () => (await state()).workersAllowed, { intervals: [20] }).toBe(1);
      expect((await state()).quietMs).toBeGreaterThanOrEqual(2_000);

      // Nothing can be read in a page that sleeps, so it notes down the last thing that it says.
      await page.evaluate(() =>
        document.addEventListener('freeze', () => Object.assign(globalThis, { last: globalThis.lull.metrics().resources })),
      );
      const me = await page.evaluate(() => globalThis.lull.self.peer);
      await tab.hide();
      const devtools = await page.createCDPSession();
      await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
      await expect
        .poll(() => watcher.page.evaluate((peer) => globalThis.lull.peers().find((each) => each.peer === peer)?.status ?? 'gone', me))
        .not.toBe('alive');
      await devtools.send('Page.setWebLifecycleState', { state: 'active' });
      const last = await page.evaluate(() => (globalThis as unknown as { last: Metrics['resources'] }).last);
      expect([last.reason.code, last.workersAllowed]).toEqual(['frozen', 0]);
      await expect.poll(async () => (await state()).reason.code).toBe('');
    } finally {
      await tab.close();
    }
  },
);
