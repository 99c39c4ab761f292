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
  /** What was written in another tab, and never submitted. */
  readonly left: Draft | null;
}

const key = 'lull-draft';
/** What this browser wrote last and has not submitted: a tab that is closed takes its own storage along. */
const leftKey = 'lull-draft-left';
/** More than this is not worth a slow page. */
const keptCharactersMax = 1_000_000;

/** null where there is none, storage is forbidden, or an older page left something else. */
function read(from: () => Storage, name: string): Draft | null {
  try {
    const text = from().getItem(name);
    return text === null ? null : draftFromText(text);
  } catch {
    return null;
  }
}

function begin(): Held {
  const own = read(() => sessionStorage, key);
  const left = own === null ? read(() => localStorage, leftKey) : null;
  return { draft: own ?? emptyDraft, before: null, from: '', left };
}

const store = createStore<Held>(begin);
let saving: ReturnType<typeof setTimeout> | undefined;
store.subscribe(({ draft }) => {
  clearTimeout(saving);
  saving = setTimeout(() => {
    try {
      const text = draftToText(draft);
      if (text.length > keptCharactersMax) return;
      sessionStorage.setItem(key, text);
      if (!isPristine(draft)) localStorage.setItem(leftKey, text);
    } catch {
      // It is kept for as long as the page lives.
    }
  }, 400);
});

export const draftStore = {
  change: (part: Partial<Draft>) => store.setState((held) => ({ draft: { ...held.draft, ...part } })),
  /** Fills in another content; `undo` brings back what was there. */
  fill: (draft: Draft, from: string) => store.setState((held) => ({ draft, before: held.draft, from })),
  undo: () => store.setState(({ draft, before }) => ({ draft: before ?? draft, before: null, from: '' })),
  /** It was submitted: the form is empty again, but for what was written since. Says whether it is. */
  submitted: (draft: Draft): boolean => {
    if (store.getState().draft !== draft) return false;
    store.setState({ draft: emptyDraft, before: null, from: '' });
    draftStore.forgetLeft();
    return true;
  },
  bringBackLeft: () =>
    store.setState(({ draft, left }) => ({ draft: left ?? draft, before: draft, from: 'Brought back from another tab.', left: null })),
  forgetLeft: () => {
    store.setState({ left: null });
    try {
      localStorage.removeItem(leftKey);
    } catch {
      // Nothing was kept there.
    }
  },
};

export const useDraft = (): Held => useStore(store);
export const isPristine = (draft: Draft): boolean =>
  draft.name === '' &&
  draft.code === emptyDraft.code &&
  draft.file === null &&
  Object.values(draft.text).every((text) => text.trim() === '');
