// Tells the person when a job of theirs has ended, where they asked for it and the browser lets the page.
import type { SnapshotStore } from '../snapshots.ts';
import { plural } from '../view/format.ts';

const key = 'lull-tell';

function read(): Set<string> {
  try {
    const list: unknown = JSON.parse(sessionStorage.getItem(key) ?? '[]');
    return new Set(Array.isArray(list) ? list.filter((each): each is string => typeof each === 'string') : []);
  } catch {
    return new Set();
  }
}

const wanted = read();
const save = () => {
  try {
    sessionStorage.setItem(key, JSON.stringify([...wanted].slice(-64)));
  } catch {
    // It is remembered for as long as the page lives.
  }
};

export type Asked = 'on' | 'off' | 'refused' | 'impossible';

export const telling = {
  of: (job: string): Asked =>
    typeof Notification === 'undefined' ? 'impossible' : wanted.has(job) ? 'on' : Notification.permission === 'denied' ? 'refused' : 'off',
  /** Asks the person through the browser, once. */
  async set(job: string, on: boolean): Promise<Asked> {
    if (!on) wanted.delete(job);
    else if (typeof Notification !== 'undefined' && (await Notification.requestPermission()) === 'granted') wanted.add(job);
    save();
    return telling.of(job);
  },
};

const words: Record<string, string> = { done: 'is done', failed: 'has failed', cancelled: 'was cancelled' };

/** Watches until cancelled. A click on what it shows brings the page of the job. */
export function tellWhenDone(snapshots: SnapshotStore, go: (path: string) => void): () => void {
  return snapshots.subscribe(({ jobs }) => {
    if (wanted.size === 0 || jobs === null) return;
    for (const { id, state, manifest, committed, failed } of jobs) {
      const ended = words[state];
      if (ended === undefined || !wanted.delete(id)) continue;
      save();
      if (typeof Notification === 'undefined' || Notification.permission !== 'granted') continue;
      const told = new Notification(`${manifest.name} ${ended}`, {
        body: `${plural(committed, 'result')}${failed > 0 ? `, ${plural(failed, 'item')} failed` : ''}.`,
        icon: '/icons/lull.svg',
        tag: id,
      });
      told.addEventListener('click', () => {
        globalThis.focus();
        go(`/jobs/${id}`);
        told.close();
      });
    }
  });
}
