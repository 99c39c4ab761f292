// The form's content outlives the page it is on, so that looking something up elsewhere, or the back button, loses nothing.
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { emptyDraft, type Draft } from './draft.ts';
import { draftFromText, draftToText } from './draft-file.ts';

interface Held {
  readonly draft: Draft;
  /** What was there before something else was filled in, to go back to. */
  readonly before: Draft | null;
  /** Where the content came from, in words; '' where it was written here. */
  readonly from: string;
}

const key = 'lull-draft';
/** More than this is not worth a slow page. */
const keptCharactersMax = 1_000_000;

function kept(): Draft {
  try {
    const text = sessionStorage.getItem(key);
    return text === null ? emptyDraft : draftFromText(text);
  } catch {
    // Storage that is forbidden, or what an older page left.
    return emptyDraft;
  }
}

const store = createStore<Held>(() => ({ draft: kept(), before: null, from: '' }));
let saving: ReturnType<typeof setTimeout> | undefined;
store.subscribe(({ draft }) => {
  clearTimeout(saving);
  saving = setTimeout(() => {
    try {
      const text = draftToText(draft);
      if (text.length <= keptCharactersMax) sessionStorage.setItem(key, text);
    } catch {
      // It is kept for as long as the page lives.
    }
  }, 400);
});

export const draftStore = {
  change: (part: Partial<Draft>) => store.setState(({ draft, before, from }) => ({ draft: { ...draft, ...part }, before, from }), true),
  /** Fills in another content; `undo` brings back what was there. */
  fill: (draft: Draft, from: string) => store.setState((held) => ({ draft, before: held.draft, from }), true),
  undo: () => store.setState(({ draft, before }) => ({ draft: before ?? draft, before: null, from: '' }), true),
  /** It was submitted. */
  clear: () => store.setState({ draft: emptyDraft, before: null, from: '' }, true),
};

export const useDraft = (): Held => useStore(store);
export const isPristine = (draft: Draft): boolean =>
  draft.name === '' &&
  draft.code === emptyDraft.code &&
  draft.file === null &&
  Object.values(draft.text).every((text) => text.trim() === '');
