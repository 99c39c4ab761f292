// The Sandbox port in a browser: each instance is an invisible frame of /sandbox.html with an origin of its own, in which a
// relay (worker/frame.ts) keeps one Worker with foreign code. Killing removes the frame: the only way that stops at once.
// Chromium keeps the frames of a site in one process: when the last is removed, an endless loop in it is gone within
// milliseconds; while a sibling lives (a warm one, too) it was measured to go on for up to 2 s. So who wants silence removes all.
//
//   opening -> up (warm) -> loading -> ready <-> running
//      any of them -> dead: by kill(), or by the watch below, after which no event follows
import { failure, success, type Outcome } from '../kernel/lib/outcome.ts';
import type { Cancel, Clock, Sandbox, SandboxInstance } from '../kernel/platform.ts';
import { parseFrameMessage, type Expected, type FrameToHost, type HostToFrame } from '../kernel/protocol/sandbox-frame.ts';
import type { ProbeReading, SandboxEvent, SandboxJob } from '../kernel/protocol/sandbox.ts';

export interface WorkerSandboxOptions {
  readonly clock: Clock;
  /** Default '/sandbox.html'. */
  readonly url?: string;
}

export const framesMax = 64;
const frameUpMsMax = 15_000;
/** A server that has not sent the page by then is taken for away, where the site is kept. */
const fetchMsMax = 4_000;
/** The relay answers at once; on a machine that is this busy a frame is opened twice. */
const answerMsMax = 1_500;
const serverAwayMs = 30_000;
/** Code that does not end while it loads, or takes its frame down, is found out within 5 s. */
export const codeLoadMsMax = 4_000;
const pingEveryMs = 500;
/** Once it should have loaded. */
const pingLateEveryMs = 250;
/**
 * A frame whose process has ended says nothing, and neither does the browser: so many unanswered pings say it. Where that only leads to a closer
 * look, few do; where an item is to blame for it, and the machine may just be busy, twice as many.
 */
const pingsMissedMax = 3;
const pingsMissedBlamingMax = 2 * pingsMissedMax;
/** After `task.signal` has told the item that its time is up. */
const itemGraceMs = 250;
/** Looks at the end of an item's time, not a second later. */
const deadlineSlackMs = 20;
/** The first items of the job that took the warm one go first; whoever runs many small jobs needs the next one soon. */
const rewarmAfterMs = 100;

/** One frame with its port. */
interface Frame {
  readonly element: HTMLIFrameElement;
  readonly port: MessagePort;
}

export function workerSandbox(options: WorkerSandboxOptions): Sandbox {
  const { clock, url = '/sandbox.html' } = options;
  let keepWarm = false;
  let warm: Promise<Outcome<Frame>> | undefined;
  let rewarm: Cancel | undefined;
  let frames = 0;
  /** Until then nothing is fetched: it was in vain a moment ago. */
  let serverAwayUntil = Number.NEGATIVE_INFINITY;

  async function openFrame(): Promise<Outcome<Frame>> {
    if (frames >= framesMax) return failure('overloaded', `This tab already runs ${frames} sandboxes.`);
    const kept = siteIsKept();
    if (!kept || clock.now() >= serverAwayUntil) {
      const opened = await tryFrame('fetched', kept ? fetchMsMax : frameUpMsMax);
      if (opened.ok || !kept) return opened;
      serverAwayUntil = clock.now() + serverAwayMs;
    }
    return tryFrame('kept', frameUpMsMax);
  }

  function tryFrame(from: PageFrom, upMsMax: number): Promise<Outcome<Frame>> {
    frames++;
    return new Promise((resolve) => {
      const element = frameElement(url, from);
      const { port1: port, port2 } = new MessageChannel();
      const frame = { element, port };
      const fail = () => {
        closeFrame(frame);
        resolve(failure('internal', 'The browser did not open a sandbox in time.'));
      };
      let cancel = clock.after(upMsMax, fail);
      element.addEventListener(
        'load',
        () => {
          // Wherever the frame goes from here, it goes without an origin.
          element.setAttribute('sandbox', sandboxFlags);
          // What the browser shows in place of a page that it could not fetch never answers.
          if (from === 'fetched' && siteIsKept()) {
            cancel();
            cancel = clock.after(answerMsMax, fail);
          }
          // An opaque origin cannot be named, hence '*'; what loaded is ours, and nobody else can navigate it.
          element.contentWindow?.postMessage({ t: 'port' }, '*', [port2]);
        },
        { once: true },
      );
      port.addEventListener(
        'message',
        (event) => {
          cancel();
          if (parseFrameMessage(event.data, undefined)?.t === 'up') return resolve(success(frame));
          closeFrame(frame);
          resolve(failure('internal', 'The sandbox did not start as it should.'));
        },
        { once: true },
      );
      port.start();
      document.body.append(element);
    });
  }

  function closeFrame({ element, port }: Frame): void {
    if (!element.isConnected) return;
    frames--;
    port.close();
    element.remove();
  }

  function makeWarm(): void {
    rewarm = undefined;
    if (!keepWarm || warm !== undefined) return;
    const opening = openFrame();
    warm = opening;
    void opening.then((opened) => {
      if (!opened.ok && warm === opening) warm = undefined;
    });
  }

  function dropWarm(): void {
    const dropped = warm;
    warm = undefined;
    void dropped?.then((opened) => {
      if (opened.ok) closeFrame(opened.value);
    });
  }

  return {
    async open(job, onEvent, onProbe) {
      let opened = await takeWarm();
      // A warm frame dies without a word when a sibling takes their process down.
      if (opened?.ok && !(await answers(opened.value, clock))) {
        closeFrame(opened.value);
        opened = undefined;
      }
      opened ??= await openFrame();
      if (keepWarm && rewarm === undefined) rewarm = clock.after(rewarmAfterMs, makeWarm);
      if (!opened.ok) return opened;
      const frame = opened.value;
      return success(instance(frame, job, clock, { onEvent, onProbe }, () => closeFrame(frame)));
    },
    warm(on) {
      keepWarm = on;
      if (on) {
        if (rewarm === undefined) makeWarm();
        return;
      }
      rewarm?.();
      rewarm = undefined;
      dropWarm();
    },
  };

  function takeWarm(): Promise<Outcome<Frame>> | Promise<undefined> {
    const taken = warm;
    warm = undefined;
    return taken ?? Promise.resolve(undefined);
  }
}

const sandboxFlags = 'allow-scripts';

/**
 * Whose page a frame shows. A service worker never sees the requests of a frame whose element takes its origin away, so a kept page is asked for
 * by a frame without that attribute: there its own policy's `sandbox` (kept with it) takes the origin away before anything of it runs, and the relay
 * does nothing in a page that has one.
 */
type PageFrom = 'fetched' | 'kept';

/** The service worker of this site answers for this page. */
const siteIsKept = () => (globalThis.navigator.serviceWorker?.controller ?? null) !== null;

function frameElement(url: string, from: PageFrom): HTMLIFrameElement {
  const element = document.createElement('iframe');
  if (from === 'fetched') element.setAttribute('sandbox', sandboxFlags);
  element.setAttribute('aria-hidden', 'true');
  element.tabIndex = -1;
  element.title = 'Lull sandbox';
  // In view and invisible: frames that are not rendered at all are slowed down.
  Object.assign(element.style, {
    position: 'fixed',
    left: '0',
    bottom: '0',
    width: '1px',
    height: '1px',
    border: '0',
    opacity: '0',
    pointerEvents: 'none',
  });
  element.src = url;
  return element;
}

const warmAnswerMsMax = 1_000;

/** Whether a frame that waited is still alive. */
function answers({ port }: Frame, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(warmAnswerMsMax, () => resolve(false));
    const listen = (event: MessageEvent) => {
      if (parseFrameMessage(event.data, undefined)?.t !== 'pong') return;
      cancel();
      port.removeEventListener('message', listen);
      resolve(true);
    };
    port.addEventListener('message', listen);
    port.postMessage({ t: 'ping', n: 0 } satisfies HostToFrame);
  });
}

interface Heard {
  readonly onEvent: (event: SandboxEvent) => void;
  readonly onProbe: ((reading: ProbeReading) => void) | undefined;
}

function instance(frame: Frame, job: SandboxJob, clock: Clock, { onEvent, onProbe }: Heard, close: () => void): SandboxInstance {
  /** Percent of the time that is computed. What rests is not stalled. */
  let shareOfTime = 100;
  let state: 'loading' | 'ready' | 'running' | 'dead' = 'loading';
  let next = 0;
  let end = 0;
  let pinged = 0;
  let ponged = 0;
  let careful = false;
  /** Since when it loads, or runs its span. */
  let busySince = 0;
  let nextLook: Cancel | undefined;

  const send = (message: HostToFrame) => frame.port.postMessage(message);
  const kill = () => {
    if (state === 'dead') return;
    state = 'dead';
    nextLook?.();
    close();
  };
  const last = (event: SandboxEvent) => {
    kill();
    onEvent(event);
  };
  const expected = (): Expected | undefined =>
    state === 'running' ? { next, end, resultItemBytesMax: job.resultItemBytesMax } : undefined;
  const limitMs = () => (state === 'loading' ? codeLoadMsMax : (job.itemMs * 100) / shareOfTime + itemGraceMs);
  const busy = () => state === 'loading' || state === 'running';

  const loadsLate = () => state === 'loading' && clock.now() - busySince >= codeLoadMsMax;
  /** Also while it loads, as long as it has time for that. */
  const blames = () => (state === 'loading' ? !loadsLate() : careful);
  const look = () => {
    if (!busy()) return;
    if (pinged - ponged >= (blames() ? pingsMissedBlamingMax : pingsMissedMax)) {
      last({
        type: 'dead',
        cause: 'unresponsive',
        index: state === 'running' ? next : null,
        message: 'The sandbox stopped answering; the code may have used up its memory.',
      });
      return;
    }
    send({ t: 'ping', n: ++pinged });
    lookIn(loadsLate() ? pingLateEveryMs : pingEveryMs);
  };
  const lookIn = (ms: number) => {
    nextLook?.();
    nextLook = clock.after(ms, look);
  };
  const startLooking = () => {
    pinged = ponged = 0;
    busySince = clock.now();
    lookIn(Math.min(pingEveryMs, limitMs() + deadlineSlackMs));
  };

  const onPong = (n: number, stalledMs: number) => {
    if (n < ponged || n > pinged || !busy()) return;
    ponged = n;
    const leftMs = limitMs() - stalledMs;
    if (leftMs > 0) {
      if (leftMs + deadlineSlackMs < pingEveryMs) lookIn(leftMs + deadlineSlackMs);
      return;
    }
    if (state === 'loading') {
      const message = `The code did not finish loading within ${codeLoadMsMax / 1000} s.`;
      last({ type: 'failed', error: { index: 0, name: 'LoadError', message, stack: '' } });
      return;
    }
    last({ type: 'dead', cause: 'item-time', index: next, message: `It took longer than ${job.itemMs / 1000} s.` });
  };

  const onFrame = (message: FrameToHost | undefined) => {
    if (message === undefined) {
      last({ type: 'dead', cause: 'garbled', index: state === 'running' ? next : null, message: 'The sandbox sent what it should not.' });
      return;
    }
    if (message.t === 'pong') return onPong(message.n, message.stalledMs);
    if (message.t === 'up') return undefined;
    if (message.t === 'probe') return onProbe?.(message.reading);
    const { event } = message;
    switch (event.type) {
      case 'ready':
        state = 'ready';
        break;
      case 'failed':
      case 'dead':
        return last(event);
      case 'results':
        next += event.results.ends.length;
        send({ t: 'taken', messages: 1 });
        break;
      case 'finished':
        if (next !== end)
          return last({ type: 'dead', cause: 'garbled', index: next, message: 'The sandbox said it was done before it was.' });
        state = 'ready';
        break;
      case 'progress':
      case 'log':
        break;
    }
    return onEvent(event);
  };

  frame.port.addEventListener('message', (event) => {
    if (state !== 'dead') onFrame(parseFrameMessage(event.data, expected()));
  });
  frame.port.addEventListener('messageerror', () => {
    if (state !== 'dead') onFrame(undefined);
  });
  send({ t: 'open', job });
  startLooking();

  return {
    run(span) {
      if (state === 'dead') return;
      if (state !== 'ready') throw new Error(`a sandbox that is ${state} cannot run a span`);
      state = 'running';
      next = span.first;
      end = span.end;
      careful = span.careful;
      shareOfTime = span.pace?.shareOfTime ?? 100;
      send({ t: 'run', span });
      startLooking();
    },
    kill,
  };
}
