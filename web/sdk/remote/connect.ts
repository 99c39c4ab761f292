// From a page of any origin to the network of a site: its /embed page in a hidden frame, and a port to it.
import { parseInvite } from '../../kernel/lib/invite.ts';
import { LullError } from '../errors.ts';
import { checkOptions } from '../spec-checks.ts';
import type { Lull } from '../types.ts';
import type { ConnectOptions, Net } from './net.ts';
import { portVersion, type WindowMessage } from './port-protocol.ts';
import { netOver } from './remote-net.ts';

const timeoutMsDefault = 20_000;
const secretForm = /^[0-9a-f]{64}$/;

/** By site and identity: a notebook's cell that is run again gets the connection there is. */
const open = new Map<string, Promise<Net>>();

/**
 * Connects this page to the network of the site at `url` (default: where this module came from). From another origin the identity is this
 * page's own site's, kept by the browser for it alone, unless `options.identity` brings another. On the site itself: `globalThis.lull`. An
 * invite link of a private network leads into that network.
 * @throws LullError 'bad-input' for what is no address; 'unreachable' where no Lull answers in time; 'refused' where the browser lacks what
 * Lull needs
 */
export async function connect(url?: string | URL, options?: ConnectOptions): Promise<Net> {
  if (typeof document === 'undefined') throw new LullError('refused', 'connect() needs a page: it is not for Workers or Node.');
  const { site, network } = addressOf(url);
  checkOptions(options);
  const { identity = null, signal, timeoutMs = timeoutMsDefault } = options ?? {};
  if (!(timeoutMs > 0)) throw new LullError('bad-input', 'timeoutMs is a number of milliseconds above 0.');
  if (identity !== null && !secretForm.test(identity)) throw new LullError('bad-input', 'An identity is a secret of 64 hex digits.');
  if (signal?.aborted === true) throw new LullError('aborted', 'It was called off.');
  if (site === location.origin && identity === null && network === null && 'lull' in globalThis)
    return onTheSite((globalThis as unknown as { lull: Lull }).lull);
  const key = `${site} ${identity ?? ''} ${network ?? ''}`;
  let connecting = open.get(key);
  if (connecting === undefined) {
    const forget = () => {
      if (open.get(key) === connecting) open.delete(key);
    };
    connecting = throughFrame({ site, identity, network, signal, timeoutMs }, forget);
    open.set(key, connecting);
    connecting.catch(forget);
  }
  return connecting;
}

interface Address {
  readonly site: string;
  /** The key of a private network, 64 hex digits. */
  readonly network: string | null;
}

function addressOf(url: string | URL | undefined): Address {
  let parsed: URL | undefined;
  try {
    // Relative to nothing: "lull.example" would be a page of this site.
    parsed = new URL(url ?? import.meta.url, typeof url === 'string' && url.startsWith('/') ? document.baseURI : undefined);
  } catch {
    // Said below.
  }
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) {
    const given = url === undefined ? '' : ` "${String(url).slice(0, 200)}" is no address of one.`;
    throw new LullError('bad-input', `Say where the site is: connect("https://...").${given}`);
  }
  const invite = parseInvite(parsed.hash);
  if (invite === 'damaged') throw new LullError('bad-input', 'This invite link is damaged: it does not hold a whole key.');
  return { site: parsed.origin, network: invite?.key ?? null };
}

/** The person's own page of the site: their own identity, and all they may do. */
async function onTheSite(lull: Lull): Promise<Net> {
  await lull.ready;
  const more = {
    site: location.origin,
    kept: true,
    exportIdentity: () => Promise.reject(new LullError('refused', "The site's own identity is exported on its Settings page.")),
    close: () => undefined,
  };
  return Object.assign(Object.create(lull) as Lull, more);
}

interface Wanted extends Address {
  readonly identity: string | null;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
}

function throughFrame({ site, identity, network, signal, timeoutMs }: Wanted, onEnd: () => void): Promise<Net> {
  return new Promise((resolve, reject) => {
    const frame = hiddenFrame(`${site}/embed`);
    const stopListening = new AbortController();
    const settled = () => {
      clearTimeout(timer);
      stopListening.abort();
    };
    const fail = (error: LullError) => {
      settled();
      frame.remove();
      onEnd();
      reject(error);
    };
    let end: ((error: LullError) => void) | undefined;
    const giveUp = (error: LullError) => (end === undefined ? fail(error) : end(error));
    const timer = setTimeout(() => {
      const answered = end !== undefined;
      const sentence = answered ? 'joined no network in time' : 'did not answer';
      const hint = answered ? '' : ' Is it a Lull site, and does the policy of this page (frame-src) allow a frame of it?';
      giveUp(new LullError('unreachable', `${site} ${sentence}.${hint}`));
    }, timeoutMs);
    signal?.addEventListener('abort', () => giveUp(new LullError('aborted', 'It was called off.')), { signal: stopListening.signal });
    window.addEventListener(
      'message',
      ({ source, origin, data }: MessageEvent<Partial<WindowMessage> | null>) => {
        if (end !== undefined || source === null || source !== frame.contentWindow || origin !== site || data?.lull !== 'up') return;
        if (data.version !== portVersion) {
          fail(new LullError('unreachable', `${site} speaks another version of Lull than this module: load ${site}/sdk.js.`));
          return;
        }
        const { port1, port2 } = new MessageChannel();
        const connection = netOver(port1, site, () => {
          frame.remove();
          onEnd();
        });
        end = connection.end;
        frame.contentWindow?.postMessage({ lull: 'open', version: portVersion, identity, network } satisfies WindowMessage, site, [port2]);
        connection.up.then(
          () => {
            settled();
            resolve(connection.net);
          },
          (error: unknown) => {
            settled();
            reject(error instanceof LullError ? error : new LullError('internal', String(error)));
          },
        );
      },
      { signal: stopListening.signal },
    );
    (document.body ?? document.documentElement).append(frame);
  });
}

function hiddenFrame(url: string): HTMLIFrameElement {
  const frame = document.createElement('iframe');
  frame.setAttribute('aria-hidden', 'true');
  frame.tabIndex = -1;
  frame.title = 'Lull';
  // In view and invisible: frames that are not rendered at all are slowed down.
  Object.assign(frame.style, {
    position: 'fixed',
    left: '0',
    bottom: '0',
    width: '1px',
    height: '1px',
    border: '0',
    opacity: '0',
    pointerEvents: 'none',
  });
  frame.src = url;
  return frame;
}
