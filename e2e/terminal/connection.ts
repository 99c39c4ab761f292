// A page of this machine's own in headless Chromium, connected to the site by /sdk.js as any page of another origin is.
import type { Page } from 'playwright';
import { bundledModule } from '../../web/sdk/remote/bundled-module.ts';
import { otherSite, type OtherSite } from '../harness/other-site.ts';
import { Profile, storageForEmbedded } from '../harness/profile.ts';
import type { Answer, PageCalls } from './in-page.ts';

/** The site refused what was asked, or cannot be reached. */
export class SiteError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

type Results<Call extends keyof PageCalls> = Awaited<ReturnType<PageCalls[Call]>>;

export class Connection {
  private constructor(
    private readonly site: OtherSite,
    private readonly profile: Profile,
    private readonly page: Page,
  ) {}

  /** @throws SiteError 'unreachable' without a browser, or where the site does not answer */
  static async open(url: string, identity: string): Promise<Connection> {
    const script = await bundledModule(new URL('in-page.ts', import.meta.url));
    const site = await otherSite({
      '/': '<!doctype html><meta charset="utf-8"><title>lull</title><script type="module" src="/terminal.js"></script>',
      '/terminal.js': script,
    });
    let profile: Profile | undefined;
    try {
      // Calling off is ours to do: the browser must live until the job knows.
      profile = await Profile.open({ extraArgs: storageForEmbedded, leavesSignals: true });
      const page = await profile.context.newPage();
      await page.goto(`${site.origin}/`);
      const connection = new Connection(site, profile, page);
      await connection.call('connect', url, identity);
      return connection;
    } catch (error) {
      await profile?.close();
      await site.close();
      if (error instanceof SiteError) throw error;
      throw new SiteError(
        'unreachable',
        `No browser could be started: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`,
      );
    }
  }

  /** @throws SiteError */
  async call<Call extends keyof PageCalls>(name: Call, ...args: Parameters<PageCalls[Call]>): Promise<Results<Call>> {
    const answer = await this.page
      .evaluate(
        ([call, given]) =>
          (globalThis as unknown as { terminal: (call: string, given: unknown[]) => Promise<unknown> }).terminal(call, given),
        [name, args] as const,
      )
      .catch(() => ({ ok: false, code: 'unreachable', message: 'The browser is gone.' }));
    const { ok, ...rest } = answer as Answer<Results<Call>>;
    if (ok) return (rest as { value: Results<Call> }).value;
    const { code, message } = rest as { code: string; message: string };
    throw new SiteError(code, message);
  }

  async close(): Promise<void> {
    await this.profile.close();
    await this.site.close();
  }
}
