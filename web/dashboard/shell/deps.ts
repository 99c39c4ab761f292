import { createContext, useContext, useEffect, useState } from 'react';
import { useStore } from 'zustand';
import type { Lull } from '../../sdk/types.ts';
import type { Durable } from '../data/durable.ts';
import type { ObjectSource } from '../data/objects.ts';
import type { DonorSource } from '../donate/donor-source.ts';
import type { KeepingSource } from '../job/keeping.ts';
import type { NetworkSource } from '../network/source.ts';
import type { TrySource } from '../new-job/tries.ts';
import type { ProfileSource } from '../settings/source.ts';
import type { Snapshot, SnapshotStore } from '../snapshots.ts';
import type { TeamSource } from '../usage/team-source.ts';

export interface Deps {
  readonly lull: Lull;
  readonly snapshots: SnapshotStore;
  readonly objects: ObjectSource;
  readonly durable: Durable;
  readonly donor: DonorSource;
  readonly keeping: KeepingSource;
  readonly tries: TrySource;
  readonly network: NetworkSource;
  readonly profile: ProfileSource;
  readonly team: TeamSource;
}

export const DepsContext = createContext<Deps | null>(null);

export function useDeps(): Deps {
  const deps = useContext(DepsContext);
  if (deps === null) throw new Error('a page outside mountDashboard');
  return deps;
}

/** Part of the snapshot; `select` returns something that is equal while nothing changed (a field, a number, a string). */
export const useSnapshot = <T>(select: (snapshot: Snapshot) => T): T => useStore(useDeps().snapshots, select);

/** performance.now(), renewed every `everyMs` while `on`. */
export function useNow(everyMs: number, on = true): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => setNow(performance.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs, on]);
  return now;
}

/** Runs a command; says what went wrong in words, and whether it is under way. */
export function useCommand(): { run: (command: () => Promise<unknown>) => void; busy: boolean; problem: string } {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const run = (command: () => Promise<unknown>) => {
    setBusy(true);
    setProblem('');
    command()
      .catch((error: unknown) => setProblem(sentenceOf(error)))
      .finally(() => setBusy(false));
  };
  return { run, busy, problem };
}

export const sentenceOf = (error: unknown): string => (error instanceof Error && error.message !== '' ? error.message : String(error));
