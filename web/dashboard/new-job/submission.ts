// Handing a job over takes a while and outlives the form: pages come and go, this goes on.
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import type { Inputs, Job, JobSpec, Lull, ObjectRef } from '../../sdk/types.ts';
import { textProblem, type ReadyInputs } from './draft.ts';

export type Step =
  | { readonly kind: 'reading' }
  | { readonly kind: 'uploading'; readonly doneBytes: number; readonly allBytes: number }
  /** Code, records and manifest are given to their keepers. */
  | { readonly kind: 'handing-over' }
  | { readonly kind: 'failed'; readonly sentence: string };

export interface Submission {
  readonly key: number;
  readonly name: string;
  /** What it was made of: the same form is not handed over twice. */
  readonly of: unknown;
  readonly step: Step;
}

const headBytes = 256 * 1024;
const store = createStore<readonly Submission[]>(() => []);
let nextKey = 1;

/** Leaving now would lose what only this tab has. */
const warn = (event: BeforeUnloadEvent) => event.preventDefault();
store.subscribe((pending) => {
  const under = pending.some(({ step }) => step.kind !== 'failed');
  if (under) globalThis.addEventListener('beforeunload', warn);
  else globalThis.removeEventListener('beforeunload', warn);
});

const put = (key: number, step: Step) => store.setState((all) => all.map((each) => (each.key === key ? { ...each, step } : each)), true);
const drop = (key: number) => store.setState((all) => all.filter((each) => each.key !== key), true);

export const submissions = {
  /**
   * Uploads and submits. Resolves with the job when the tab may be closed, with null when it failed: the reason is in the
   * submission's step until it is forgotten. `of`: what the form held.
   */
  async start(lull: Lull, makers: InputMakers, spec: Omit<JobSpec, 'inputs'>, inputs: ReadyInputs, of: unknown): Promise<Job | null> {
    const key = nextKey++;
    store.setState(
      (all) => [...all.filter(({ step }) => step.kind !== 'failed'), { key, name: spec.name, of, step: { kind: 'reading' } }],
      true,
    );
    try {
      const ready = await storedInputs(lull, makers, inputs, spec.expiresAt, (step) => put(key, step));
      put(key, { kind: 'handing-over' });
      const job = await lull.submit({ ...spec, inputs: ready });
      drop(key);
      return job;
    } catch (error) {
      put(key, { kind: 'failed', sentence: error instanceof Error && error.message !== '' ? error.message : String(error) });
      return null;
    }
  },
  forget: drop,
};

/** What becomes of inputs that are not there yet. */
export interface InputMakers {
  readonly look: (object: string) => Promise<ObjectRef>;
  readonly generate: (body: string) => Promise<readonly unknown[]>;
}

/** The inputs with a file stored as an object, which lives as long as the job. @throws with a sentence where the file cannot be read, is no text, or a generator gives nothing */
export async function storedInputs(
  lull: Lull,
  { look, generate }: InputMakers,
  inputs: ReadyInputs,
  expiresAt: Date | undefined,
  onStep: (step: Step) => void,
): Promise<Inputs> {
  if ('generator' in inputs) return { items: await generate(inputs.generator) };
  if (!('chunkBytes' in inputs)) return inputs;
  const { chunkBytes } = inputs;
  const from = (ref: ObjectRef): Inputs => (chunkBytes === null ? { lines: ref } : { chunks: ref, bytes: chunkBytes });
  if ('object' in inputs) return from(await look(inputs.object));
  const { file } = inputs;
  const head = await file
    .slice(0, headBytes)
    .arrayBuffer()
    .catch(() => {
      throw new Error(`${file.name} cannot be read: was it moved or changed since it was chosen?`);
    });
  const problem = chunkBytes === null ? textProblem(new Uint8Array(head), file.name) : null;
  if (problem !== null) throw new Error(problem);
  onStep({ kind: 'uploading', doneBytes: 0, allBytes: file.size });
  const ref = await lull.put(file, {
    name: file.name,
    ...(expiresAt !== undefined && { expiresAt }),
    type: chunkBytes === null ? 'text/plain' : file.type,
    onProgress: (doneBytes, allBytes) => onStep({ kind: 'uploading', doneBytes, allBytes }),
  });
  return from(ref);
}

export const useSubmissions = (): readonly Submission[] => useStore(store);
/** The one that was made of this, if it is under way or has just failed. */
export const useSubmissionOf = (of: unknown): Submission | undefined => useStore(store, (all) => all.find((each) => each.of === of));
