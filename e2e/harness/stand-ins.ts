// A donor's tab whose battery, connection and memory are the test's own, and whose processor is as busy as the test says.
import type { CDPSession, Page } from 'playwright';
import type { Cluster } from './cluster.ts';
import type { Profile } from './profile.ts';

interface StandIns {
  battery: EventTarget & { charging: boolean; level: number };
  connection: EventTarget & { saveData: boolean };
  heap: { usedJSHeapSize: number; jsHeapSizeLimit: number };
}
declare global {
  // oxlint-disable-next-line no-var -- a global can only be declared so
  var standIns: StandIns;
}

export interface PoliteDonor {
  readonly profile: Profile;
  readonly page: Page;
  readonly devtools: CDPSession;
}

/** Puts a battery, a connection and a heap of the test's own where the page looks for the browser's. */
function putStandIns(): void {
  const battery = Object.assign(new EventTarget(), { charging: true, level: 1 });
  const connection = Object.assign(new EventTarget(), { saveData: false });
  const heap = { usedJSHeapSize: 1, jsHeapSizeLimit: 100 };
  globalThis.standIns = { battery, connection, heap };
  Object.defineProperty(navigator, 'getBattery', { value: () => Promise.resolve(battery) });
  Object.defineProperty(navigator, 'connection', { value: connection });
  Object.defineProperty(performance, 'memory', { value: heap });
}

export async function politeDonor(cluster: Cluster): Promise<PoliteDonor> {
  const profile = await cluster.profile();
  await profile.context.addInitScript(putStandIns);
  // Before anything is loaded: an observer made later, or after a reload, is told nothing of what is overridden.
  const page = await profile.context.newPage();
  const devtools = await profile.context.newCDPSession(page);
  await devtools.send('Emulation.setPressureSourceOverrideEnabled', { enabled: true, source: 'cpu' });
  page.on('pageerror', (error) => console.error(`page error: ${error.message}`));
  await page.goto(cluster.server.url);
  await page.evaluate(() => globalThis.lull.ready);
  await setPressure(devtools, 'nominal');
  return { profile, page, devtools };
}

export const setPressure = (devtools: CDPSession, state: 'nominal' | 'critical') =>
  devtools.send('Emulation.setPressureStateOverride', { source: 'cpu', state });

export const setBattery = (page: Page, charging: boolean, level = 1) =>
  page.evaluate(
    (change) => {
      Object.assign(globalThis.standIns.battery, change);
      globalThis.standIns.battery.dispatchEvent(new Event('chargingchange'));
    },
    { charging, level },
  );

export const setSaveData = (page: Page, saveData: boolean) =>
  page.evaluate((on) => {
    globalThis.standIns.connection.saveData = on;
    globalThis.standIns.connection.dispatchEvent(new Event('change'));
  }, saveData);

/** The heap is looked at when something else is: `page` must be told to. */
export const setHeapShare = (page: Page, share: number) =>
  page.evaluate(async (used) => {
    globalThis.standIns.heap.usedJSHeapSize = used * 100;
    await globalThis.lull.donate(true, {});
  }, share);
