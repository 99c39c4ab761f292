// What a browser has computed.
import type { BrowserContext } from 'playwright';

/** Seconds of processor time of all processes of the browser, since it began. */
export async function computed(context: BrowserContext): Promise<number> {
  const session = await context.browser()!.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}
