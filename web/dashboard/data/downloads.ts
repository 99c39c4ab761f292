// Objects on their way out of the network into a file. Like uploads they go on while one looks elsewhere.
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Lull } from '../../sdk/types.ts';
import { save } from '../job/download.ts';
import { previewCharactersMax, previewKind, savedName } from './reference.ts';

export type Preview =
  | { readonly kind: 'image'; readonly url: string }
  | { readonly kind: 'text'; readonly text: string; readonly cut: boolean };

export type Download =
  | { readonly kind: 'getting'; readonly doneBytes: number }
  | { readonly kind: 'failed'; readonly sentence: string }
  | { readonly kind: 'got'; readonly preview: Preview | null };

export interface Wanted {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly size: number;
}

const store = createStore<Readonly<Record<string, Download>>>(() => ({}));
const stops = new Map<string, AbortController>();

const set = (id: string, download: Download | null) =>
  store.setState((all) => {
    const { [id]: before, ...rest } = all;
    if (before?.kind === 'got' && before.preview?.kind === 'image') URL.revokeObjectURL(before.preview.url);
    return download === null ? rest : { ...rest, [id]: download };
  }, true);

export const downloads = {
  async start(lull: Pick<Lull, 'get'>, { id, name, type, size }: Wanted): Promise<void> {
    if (stops.has(id)) return;
    const stop = new AbortController();
    stops.set(id, stop);
    set(id, { kind: 'getting', doneBytes: 0 });
    try {
      const blob = await lull.get(id, { signal: stop.signal, onProgress: (doneBytes) => set(id, { kind: 'getting', doneBytes }) });
      // Saved as bytes of no kind: a browser that opens what it should save must not find a page of our own origin in it.
      save(new Blob([blob], { type: 'application/octet-stream' }), savedName(name, id));
      // One preview is kept at a time: the last asked for.
      for (const [other, download] of Object.entries(store.getState())) if (download.kind === 'got') set(other, null);
      set(id, { kind: 'got', preview: await previewOf(blob, type, size) });
    } catch (error) {
      if (stop.signal.aborted) set(id, null);
      else set(id, { kind: 'failed', sentence: error instanceof Error && error.message !== '' ? error.message : String(error) });
    } finally {
      stops.delete(id);
    }
  },
  stop: (id: string) => stops.get(id)?.abort(),
  forget: (id: string) => set(id, null),
};

async function previewOf(blob: Blob, type: string, size: number): Promise<Preview | null> {
  switch (previewKind(type, size)) {
    case 'image':
      return { kind: 'image', url: URL.createObjectURL(blob.slice(0, blob.size, type)) };
    case 'text': {
      const text = await blob.text();
      return { kind: 'text', text: text.slice(0, previewCharactersMax), cut: text.length > previewCharactersMax };
    }
    case null:
      return null;
  }
}

export const useDownload = (id: string): Download | undefined => useStore(store, (all) => all[id]);
