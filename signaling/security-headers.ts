// What a page of ours may do, said by header.

/** A Host header that may be put into a policy: a name or address, and a port. */
const hostForm = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

const everywhere: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** No text becomes markup or script; `default` lets Workers be started from this site's own files (web/adapters/trusted-types.ts). */
const trustedTypes = ["require-trusted-types-for 'script'", 'trusted-types default'];

const features = ['camera', 'microphone', 'geolocation', 'payment', 'usb', 'serial', 'hid', 'midi', 'display-capture'];
const permissions = [...features.map((feature) => `${feature}=()`), 'compute-pressure=(self)'].join(', ');

/** For what is no page: assets, JSON, text. */
export function fileHeaders(): Record<string, string> {
  return { ...everywhere, 'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'" };
}

const socketsOf = (host: string | undefined) => (host !== undefined && hostForm.test(host) ? ` ws://${host} wss://${host}` : '');

/**
 * For the pages of the site. Foreign code never runs in them, and neither does anything but our own files.
 * @param host the request's Host: older browsers do not take 'self' for the WebSockets of the same host
 */
export function pageHeaders(host: string | undefined): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "font-src 'self'",
    `connect-src 'self'${socketsOf(host)}`,
    "worker-src 'self'",
    "frame-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    ...trustedTypes,
  ];
  return {
    ...everywhere,
    'Content-Security-Policy': policy.join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Permissions-Policy': permissions,
    'X-Frame-Options': 'DENY',
  };
}

/**
 * For /embed, through which pages of other sites reach the network: the only page that may be framed, by anybody. It draws nothing, frames
 * nothing and is told nothing of the machine.
 */
export function embedHeaders(host: string | undefined): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `connect-src 'self'${socketsOf(host)}`,
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    'frame-ancestors *',
    ...trustedTypes,
  ];
  return {
    ...everywhere,
    'Cross-Origin-Resource-Policy': 'cross-origin',
    'Content-Security-Policy': policy.join('; '),
    'Permissions-Policy': [...features, 'compute-pressure'].map((feature) => `${feature}=()`).join(', '),
  };
}

/** For what any page may import: /sdk.js and its types. They hold nothing of anybody. */
export function sharedHeaders(): Record<string, string> {
  return { ...fileHeaders(), 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' };
}

/**
 * For our own scripts. A Worker has the policy that its script came with, not the page's: the page's here, and the codec Worker may also
 * compile WebAssembly (the erasure code). The page itself may not.
 */
export function scriptHeaders(host: string | undefined): Record<string, string> {
  const policy = pageHeaders(host)['Content-Security-Policy'] ?? '';
  return { ...fileHeaders(), 'Content-Security-Policy': policy.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'") };
}

const metaForm = /<meta\s[^>]*http-equiv=["']Content-Security-Policy["'][^>]*>/i;
const contentForm = /\scontent=(?:"([^"]*)"|'([^']*)')/i;

/** The policy that a built page carries in its own <meta>; undefined where it carries none. */
export function metaPolicy(html: string): string | undefined {
  const content = contentForm.exec(metaForm.exec(html)?.[0] ?? '');
  const policy = content?.[1] ?? content?.[2];
  return policy?.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&amp;', '&').replaceAll(/\s+/g, ' ').trim();
}

/**
 * For the frame in which foreign code runs: the policy of the page's own <meta>, which pins its bootstrap by hash, plus
 * the one thing a <meta> cannot say. `sandbox` keeps it without an origin even when somebody opens it by its address.
 */
export function sandboxHeaders(html: string): Record<string, string> {
  const policy = metaPolicy(html) ?? "default-src 'none'";
  return {
    ...everywhere,
    'Content-Security-Policy': `${policy.replace(/;$/, '')}; frame-ancestors 'self'; sandbox allow-scripts`,
    'Permissions-Policy': [...features, 'compute-pressure'].map((feature) => `${feature}=()`).join(', '),
  };
}
