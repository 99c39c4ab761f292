// Runs a contract suite in vitest.
import { expect, test } from 'vitest';
import type { SuiteApi } from './contract-suite.ts';

/** `which` names the implementation where a file tests several. */
export function vitestSuite(which = ''): SuiteApi {
  return {
    test: (name, run) =>
      test(`${name}${which === '' ? '' : ` (${which})`}`, async () => {
        await expect(run()).resolves.toBeUndefined();
      }),
  };
}
