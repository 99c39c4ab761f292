// Files on their way into the network. They outlive the page that began them: one may look elsewhere meanwhile.
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Lull } from '../../sdk/types.ts';
import { objectSegmentsMax, segmentBytes } from '../../kernel/limits.ts';
import { sizeProblem } from './wording.ts';

export type UploadStep =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'putting'; readonly doneBytes: number }
  | { readonly kind: 'put'; readonly id: string }
  | { readonly kind: 'failed'; readonly sentence: string };

export interface Upload {
  readonly key: number;
  readonly name: string;
  readonly size: number;
  readonly step: UploadStep;
}

const objectBytesMax = objectSegmentsMax * segmentBytes;
/** More at once would only share the same links. */
const atOnce = 2;
/** Files in one go, and lines that stay until they are cleared. */
export const filesMax = 200;

export type Uploads = ReturnType<typeof createUploads>;

/** A queue of puts, `atOnce` at a time, in the order they were dropped. */
export function createUploads() {
  const store = createStore<readonly Upload[]>(() => []);
  const stops = new Map<number, AbortController>();
  const files = new Map<number, File>();
  let nextKey = 1;
  const update = (key: number, step: UploadStep) =>
    store.setState((all) => all.map((each) => (each.key === key ? { ...each, step } : each)), true);
  const drop = (wanted: (upload: Upload) => boolean) => store.setState((all) => all.filter((each) => !wanted(each)), true);

  const next = (lull: Pick<Lull, 'put'>) => {
    if (stops.size >= atOnce) return;
    const upload = store.getState().find(({ step }) => step.kind === 'waiting');
    if (upload === undefined) return;
    void put(lull, upload.key, files.get(upload.key)!).finally(() => next(lull));
    next(lull);
  };

  const put = async (lull: Pick<Lull, 'put'>, key: number, file: File) => {
    const stop = new AbortController();
    stops.set(key, stop);
    update(key, { kind: 'putting', doneBytes: 0 });
    try {
      await readable(file);
      const { object } = await lull.put(file, {
        name: file.name,
        type: file.type,
        signal: stop.signal,
        onProgress: (doneBytes) => update(key, { kind: 'putting', doneBytes }),
      });
      update(key, { kind: 'put', id: object });
    } catch (error) {
      if (stop.signal.aborted) drop((each) => each.key === key);
      else update(key, { kind: 'failed', sentence: error instanceof Error && error.message !== '' ? error.message : String(error) });
    } finally {
      stops.delete(key);
      files.delete(key);
    }
  };

  return {
    store,
    /** `allowedBytes` is what this browser may use; null while that is not known. */
    add(lull: Pick<Lull, 'put'>, dropped: readonly File[], allowedBytes: number | null): void {
      const added = dropped.slice(0, filesMax).map((file): Upload => {
        const key = nextKey++;
        const problem = sizeProblem(file.name, file.size, allowedBytes, objectBytesMax);
        if (problem === null) files.set(key, file);
        return {
          key,
          name: file.name,
          size: file.size,
          step: problem === null ? { kind: 'waiting' } : { kind: 'failed', sentence: problem },
        };
      });
      if (dropped.length > filesMax) {
        const sentence = `At most ${filesMax} files are taken at once: the other ${dropped.length - filesMax} were left out.`;
        added.push({ key: nextKey++, name: '', size: 0, step: { kind: 'failed', sentence } });
      }
      // What ended is news only until the next.
      store.setState((all) => [...all.filter(({ step }) => step.kind === 'waiting' || step.kind === 'putting'), ...added], true);
      next(lull);
    },
    cancel(key: number): void {
      files.delete(key);
      stops.get(key)?.abort();
      drop((each) => each.key === key && each.step.kind === 'waiting');
    },
    /** Puts the lines away that have ended. */
    clear: () => drop(({ step }) => step.kind === 'put' || step.kind === 'failed'),
  };
}

/** A folder is dropped as a file that cannot be read; so is a file that was moved since. */
async function readable(file: File): Promise<void> {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Error(`${file.name} cannot be read: it is a folder, or it was moved or changed since it was chosen.`);
  }
}

export const uploads = createUploads();

/** Leaving now would lose what only this tab has. */
const warn = (event: BeforeUnloadEvent) => event.preventDefault();
uploads.store.subscribe((all) => {
  const under = all.some(({ step }) => step.kind === 'waiting' || step.kind === 'putting');
  if (under) globalThis.addEventListener('beforeunload', warn);
  else globalThis.removeEventListener('beforeunload', warn);
});

export const useUploads = (): readonly Upload[] => useStore(uploads.store);
