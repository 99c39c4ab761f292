// The simulation at scale in the tests: short forms of what `npm run sim -- --peers 10000 --groups 500` runs.
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundled, type Bundle } from '../bundle.ts';
import { runShared } from './scale-main.ts';
import type { ScaleOptions } from './scale-plan.ts';
import { runAtScale } from './scale-run.ts';

const withinMs = 600_000;

const size = { peers: 500, groups: 25, jobs: 25 };

describe('tabs in several groups join, work, leave, are cut apart and converge', () => {
  it('and nobody changes what was sent', async () => {
    const result = await runAtScale({ seed: 'test', peers: 20, groups: 2, churn: 0.3, pace: 'short', freezes: true });
    expect(result.violations).toEqual([]);
    expect(result).toMatchObject({ groups: 2, jobs: 4 });
  }, 300_000);

  it('the same way each time', async () => {
    const options = { seed: 'twice', peers: 10, groups: 2, churn: 0.3, jobs: 2, pace: 'short' as const };
    const [first, second] = [await runAtScale(options), await runAtScale(options)];
    expect(second.hash).toBe(first.hash);
    expect(second.messages).toBe(first.messages);
  }, 300_000);
});

describe('in two threads', () => {
  let program: Bundle | undefined;
  beforeAll(async () => {
    program = await bundled();
  });
  afterAll(() => program?.drop());
  const shared = (options: Pick<ScaleOptions, 'seed' | 'peers' | 'groups' | 'jobs'>) =>
    runShared({ ...options, churn: 0.3, pace: 'short' }, 2, pathToFileURL(program!.path));

  it('they do so the same way each time', async () => {
    const options = { seed: 'shared', peers: 18, groups: 3, jobs: 2 };
    const [first, second] = [await shared(options), await shared(options)];
    expect(first.violations).toEqual([]);
    expect(first).toMatchObject({ peers: 18, groups: 3, jobs: 2 });
    expect(second.hash).toBe(first.hash);
  }, 300_000);

  it(
    `${size.peers} of them, in more groups than any has neighbours`,
    async () => {
      const result = await shared({ seed: 'many', ...size });
      expect(result.violations).toEqual([]);
      expect(result).toMatchObject(size);
    },
    withinMs,
  );
});
