// Ticks for a page: timers of a Worker are not throttled when the tab is hidden. One wake-up at a time; the latest order wins.

/** Milliseconds until the wake-up. */
export type TickerOrder = number;

let timer: ReturnType<typeof setTimeout> | undefined;

self.addEventListener('message', ({ data }: MessageEvent<TickerOrder>) => {
  clearTimeout(timer);
  timer = setTimeout(() => self.postMessage(0), data);
});
