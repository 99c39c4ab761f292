// What the server tells a tab before its kernel starts: ICE servers, and the boot document.
import { failure, success, type Outcome } from '../kernel/lib/outcome.ts';
import type { IdentityId } from '../kernel/lib/ids.ts';
import { identityIdSchema } from '../kernel/protocol/schemas.ts';
import * as v from 'valibot';

const configSchema = v.object({
  siteVersion: v.string(),
  operator: v.optional(v.nullable(identityIdSchema), null),
  iceServers: v.array(
    v.object({
      urls: v.union([v.string(), v.array(v.string())]),
      username: v.optional(v.string()),
      credential: v.optional(v.string()),
    }),
  ),
});

export interface Site {
  readonly siteVersion: string;
  /** The public key of whoever runs the site; null where they neither deny anything nor take reports. */
  readonly operator: IdentityId | null;
  readonly iceServers: RTCIceServer[];
  readonly bootDocument: string;
}

/** Fault 'unreachable' with a sentence for a person. */
export async function loadSite(): Promise<Outcome<Site>> {
  try {
    // As the page's HTML preloads them (worker/preload-plugin.ts). The server says itself that its settings are not to be kept.
    const [config, boot] = await Promise.all([fetch('/config.json'), fetch('/boot.xml')]);
    if (!config.ok || !boot.ok)
      return failure('unreachable', `The server answered ${config.ok ? boot.status : config.status}: try again in a moment.`);
    const parsed = v.safeParse(configSchema, await config.json());
    if (!parsed.success) return failure('malformed', 'The server gave a configuration this page does not understand: reload it.');
    const iceServers = parsed.output.iceServers.map(({ urls, username, credential }) => ({
      urls,
      ...(username !== undefined && { username }),
      ...(credential !== undefined && { credential }),
    }));
    const { siteVersion, operator } = parsed.output;
    return success({ siteVersion, operator, iceServers, bootDocument: await boot.text() });
  } catch {
    return failure('unreachable', 'The server cannot be reached: see whether you are online, then reload the page.');
  }
}
