// The simulation at scale in the tests: short forms of what `npm run sim -- --peers 10000 --groups 500` runs.
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { bundled } from '../bundle.ts';
import { runShared } from './scale-main.ts';
import { runAtScale } from './scale-run.ts';

/** In soak, where tests may take their time, more groups than any has neighbours. */
const size = process.env['SOAK'] === undefined ? { peers: 60, groups: 3, jobs: 3 } : { peers: 500, groups: 25, jobs: 25 };

describe('tabs in several groups join, work, leave, are cut apart and converge', () => {
  it('and nobody changes what was sent', async () => {
    const result = await runAtScale({ seed: 'test', peers: 20, groups: 2, churn: 0.3, pace: 'short', freezes: true });
    expect(result.violations).toEqual([]);
    expect(result).toMatchObject({ groups: 2, jobs: 4 });
  }, 300_000);

  it(`${size.peers} of them`, async () => {
    const result = await runAtScale({ seed: 'many', churn: 0.3, pace: 'short', ...size });
    expect(result.violations).toEqual([]);
    expect(result).toMatchObject({ groups: size.groups, jobs: size.jobs });
  }, 300_000);

  it('the same way each time', async () => {
    const options = { seed: 'twice', peers: 10, groups: 2, churn: 0.3, jobs: 2, pace: 'short' as const };
    const [first, second] = [await runAtScale(options), await runAtScale(options)];
    expect(second.hash).toBe(first.hash);
    expect(second.messages).toBe(first.messages);
  }, 300_000);

  it('in two threads too', async () => {
    const program = await bundled();
    try {
      const options = { seed: 'shared', peers: 24, groups: 3, churn: 0.3, jobs: 3, pace: 'short' as const };
      const run = () => runShared(options, 2, pathToFileURL(program.path));
      const [first, second] = [await run(), await run()];
      expect(first.violations).toEqual([]);
      expect(first).toMatchObject({ peers: 24, groups: 3, jobs: 3 });
      expect(second.hash).toBe(first.hash);
    } finally {
      await program.drop();
    }
  }, 300_000);
});
