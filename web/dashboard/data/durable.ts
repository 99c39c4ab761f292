import { useSyncExternalStore } from 'react';
import { useDeps } from '../shell/deps.ts';
import type { Durability } from './wording.ts';

/** The browser's promise to keep this site's data, and how to ask for it: within a gesture of the person. */
export interface Durable {
  state(): Durability;
  subscribe(listener: () => void): () => void;
  ask(again?: boolean): Promise<void>;
}

export function useDurability(): Durability {
  const { durable } = useDeps();
  return useSyncExternalStore(durable.subscribe, durable.state);
}
