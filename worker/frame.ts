// The relay in the sandbox's frame: the only script its policy allows, pinned by hash. It never runs foreign code. It starts the
// Worker, gives it credits, looks at every message by shape, and passes plain bytes on to the page. It decides nothing by timers:
// those stand still in hidden frames. The page asks ('ping') and decides.
import { taskRuntime } from 'virtual:task-runtime';
import {
  chatterBurstMax,
  chatterPerSecondMax,
  parseWorkerMessage,
  sandboxCreditsMax,
  type FrameToHost,
  type FrameToWorker,
  type HostToFrame,
} from '../web/kernel/protocol/sandbox-frame.ts';
import type { SandboxEvent, SandboxJob } from '../web/kernel/protocol/sandbox.ts';

function relay(host: MessagePort): void {
  const worker = new Worker(blobUrl([taskRuntime]));
  let job: SandboxJob | undefined;
  let codeUrl: string | undefined;
  let running: { next: number; readonly end: number } | undefined;
  let loading = false;
  /** When the current item can have begun at the earliest: the last result, or the last wait for credits. */
  let sinceMs = 0;
  let creditsOut = 0;
  let chatter = chatterBurstMax;
  let chatterAt = performance.now();
  let dead = false;

  const tell = (message: FrameToHost, transfer: Transferable[] = []) => host.postMessage(message, transfer);
  const emit = (event: SandboxEvent, transfer?: Transferable[]) => tell({ t: 'event', event }, transfer);
  const command = (message: FrameToWorker) => worker.postMessage(message);
  const die = (cause: 'flood' | 'garbled', message: string) => {
    if (dead) return;
    dead = true;
    worker.terminate();
    emit({ type: 'dead', cause, index: running?.next ?? null, message });
  };
  const tooMuchChatter = () => {
    const now = performance.now();
    chatter = Math.min(chatterBurstMax, chatter + ((now - chatterAt) * chatterPerSecondMax) / 1000);
    chatterAt = now;
    return --chatter < 0;
  };

  const fromWorker = (data: unknown) => {
    if (dead) return;
    const expected = running && job && { next: running.next, end: running.end, resultItemBytesMax: job.resultItemBytesMax };
    const message = parseWorkerMessage(data, expected);
    if (message === undefined) return die('garbled', 'The code sent messages of its own making.');
    switch (message.t) {
      case 'ready':
      case 'failed':
        if (!loading) return die('garbled', 'The code sent messages of its own making.');
        loading = false;
        if (codeUrl !== undefined) URL.revokeObjectURL(codeUrl);
        return emit(message.t === 'ready' ? { type: 'ready' } : { type: 'failed', error: message.error });
      case 'results': {
        if (++creditsOut > sandboxCreditsMax) return die('flood', 'The code sent more messages than it may.');
        const { results } = message;
        running!.next += results.ends.length;
        sinceMs = performance.now();
        emit({ type: 'results', results }, [results.bytes.buffer, results.ends.buffer, results.tookMs.buffer] as Transferable[]);
        if (running!.next === running!.end) {
          running = undefined;
          emit({ type: 'finished' });
        }
        return undefined;
      }
      case 'progress':
        if (tooMuchChatter()) return die('flood', 'The code reported more than it may.');
        return emit({ type: 'progress', index: message.index, fraction: message.fraction });
      case 'log':
        if (tooMuchChatter()) return die('flood', 'The code wrote more to its log than it may.');
        return emit({ type: 'log', index: message.index, text: message.text });
      case 'probe':
        if (tooMuchChatter()) return die('flood', 'The code reported more than it may.');
        return tell(message);
    }
  };
  worker.addEventListener('message', (event) => fromWorker(event.data));
  worker.addEventListener('messageerror', () => die('garbled', 'The code sent messages of its own making.'));
  worker.addEventListener('error', (event) => {
    event.preventDefault();
    if (dead) return;
    if (tooMuchChatter()) return die('flood', 'The code throws errors without end.');
    emit({ type: 'log', index: running?.next ?? 0, text: `An error outside of any item: ${String(event.message).slice(0, 500)}` });
  });

  host.addEventListener('message', (event: MessageEvent<HostToFrame>) => {
    const message = event.data;
    switch (message.t) {
      case 'open': {
        const { code, ...rest } = message.job;
        job = message.job;
        loading = true;
        sinceMs = performance.now();
        codeUrl = blobUrl([code as string | Uint8Array<ArrayBuffer>]);
        return command({ t: 'open', url: codeUrl, job: rest });
      }
      case 'run':
        running = { next: message.span.first, end: message.span.end };
        sinceMs = performance.now();
        return command({ t: 'run', span: message.span });
      case 'taken':
        // A Worker out of credits waits for the page: that time is not its own.
        if (creditsOut >= sandboxCreditsMax) sinceMs = performance.now();
        creditsOut -= message.messages;
        return command({ t: 'credits', messages: message.messages });
      case 'ping': {
        const busy = loading || (running !== undefined && creditsOut < sandboxCreditsMax);
        return tell({ t: 'pong', n: message.n, stalledMs: busy ? performance.now() - sinceMs : 0 });
      }
    }
  });
  host.start();
  tell({ t: 'up' });
}

const blobUrl = (parts: BlobPart[]) => URL.createObjectURL(new Blob(parts, { type: 'text/javascript' }));

// One port, once, from the page that made this frame: nobody else is listened to.
function takePort(event: MessageEvent): void {
  const port = event.ports[0];
  if (event.source !== window.parent || window.parent === window || port === undefined) return;
  // Never with the site's own origin: then whatever should have taken it away is missing.
  if (window.origin !== 'null') return;
  window.removeEventListener('message', takePort);
  relay(port);
}
window.addEventListener('message', takePort);
