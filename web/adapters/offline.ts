// Lets the browser keep the site itself, so that it opens without the server. Nothing waits for it and nothing depends on it.

/** After the page has joined and drawn: what it fetches must not be in the way of that. */
const afterMs = 4_000;

export function keepSite(): void {
  if (!('serviceWorker' in navigator)) return;
  setTimeout(() => {
    // Refused in private windows, and where the site's storage is forbidden: then there is no page without a server, and that is all.
    navigator.serviceWorker.register('/sw.js').catch(() => undefined);
  }, afterMs);
}
