// An embedded page gives nothing and watches nobody: its kernel is told nothing of the machine or its person, and can run nothing.
import { failure } from '../kernel/lib/outcome.ts';
import type { Machine, Sandbox } from '../kernel/platform.ts';

export const bareMachine: Machine = {
  cores: 1,
  memoryMiB: null,
  visible: () => true,
  watch: () => () => undefined,
};

/** There is none: whatever anybody asks, no code runs in an embedded page. */
export const noSandbox: Sandbox = {
  open: () => Promise.resolve(failure('refused', 'An embedded page runs no code.')),
  warm: () => undefined,
};
