// What `map` was given, as a job.
import { moduleOf } from './module-of.ts';
import { checkOptions } from './spec-checks.ts';
import type { Inputs, JobSpec, Lull } from './types.ts';

type Given = Parameters<Lull['map']>;

/** @throws LullError 'bad-input' for a function that cannot be sent, and options that are none */
export function mapSpec(fn: Given[0], inputs: Given[1], options: Given[2]): JobSpec {
  checkOptions(options);
  return {
    name: (typeof fn === 'function' && fn.name) || 'map',
    ...options,
    code: typeof fn === 'function' ? moduleOf(fn) : fn,
    inputs: Array.isArray(inputs) ? { items: inputs as readonly unknown[] } : (inputs as Inputs),
  };
}
