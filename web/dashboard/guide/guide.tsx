// The first job, step by step: a strip over the pages that it leads through. It is there for whoever asked for it, in this tab.
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { Link } from '../shell/router.tsx';

const key = 'lull-guide';

function asked(): boolean {
  try {
    return sessionStorage.getItem(key) === 'on';
  } catch {
    return false;
  }
}

const store = createStore<{ readonly on: boolean }>(() => ({ on: asked() }));

export const guide = {
  begin: () => put(true),
  end: () => put(false),
};

function put(on: boolean): void {
  store.setState({ on });
  try {
    if (on) sessionStorage.setItem(key, 'on');
    else sessionStorage.removeItem(key);
  } catch {
    // It is remembered for as long as the page lives.
  }
}

export type GuideAt = 'new-job' | 'waiting' | 'running' | 'done';

const steps: Record<GuideAt, { readonly step: number; readonly title: string; readonly text: string }> = {
  'new-job': {
    step: 1,
    title: 'This is a whole job',
    text: 'The code on the left paints one tile of a picture; the range says that there are 96 of them. Try it on three items if you like, then press “Submit job”.',
  },
  waiting: {
    step: 2,
    title: 'The job is handed over',
    text: 'It waits for somebody’s idle core. Nobody there? Press “Compute it in this tab”, then keep your hands off for a moment: Lull computes only while nobody uses the machine.',
  },
  running: {
    step: 2,
    title: 'Your tiles are being computed',
    text: 'Each appears as somebody finishes it, and beside the picture stands who that was. Where it says that you can close this tab, you can: the picture waits for you.',
  },
  done: {
    step: 3,
    title: 'That is your first picture',
    text: 'Save it with “Download picture”. Then change a number of the code and run it again, or begin with one of the other samples.',
  },
};

/** Where the first job is, in a sentence; nothing for whoever did not ask for it. */
export function GuideStep({ at }: { at: GuideAt }) {
  const on = useStore(store, (state) => state.on);
  if (!on) return null;
  const { step, title, text } = steps[at];
  return (
    <aside className="guide" aria-label="Your first job">
      <span className="guide-step">Step {step} of 3</span>
      <p>
        <b>{title}.</b> {text}
      </p>
      <div className="actions">
        {at === 'done' ? (
          <Link to="/samples" className="btn small" onClick={guide.end}>
            More samples
          </Link>
        ) : null}
        <button type="button" className="link sm" onClick={guide.end}>
          {at === 'done' ? 'Close' : 'No guide, please'}
        </button>
      </div>
    </aside>
  );
}
