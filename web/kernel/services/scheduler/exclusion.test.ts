import { expect, test } from 'vitest';
import { identityId, jobId } from '../../lib/ids.ts';
import type { Limits, ResourceState } from '../../protocol/contracts/resources.ts';
import type { JobManifest } from '../../protocol/job-manifest.ts';
import type { ReasonCode } from '../../protocol/reasons.ts';
import { someGroup } from '../../testing/made-up-jobs.ts';
import { madeUpResources } from '../../testing/made-up-resources.ts';
import { exclusionOf, type ExclusionFacts } from './exclusion.ts';

const [me, stranger] = ['a', 'b'].map((digit) => identityId(digit.repeat(64))) as [never, never];
const manifest = { submitter: stranger, memoryMiB: 256 } as unknown as JobManifest;
const idle = madeUpResources();
const held = (code: ReasonCode): ResourceState => ({ ...idle, state: 'constrained', workersAllowed: 0, reason: { code, sentence: '' } });
const facts: ExclusionFacts = {
  self: me,
  job: { id: jobId('d'.repeat(64)), home: someGroup(0), manifest },
  wanted: true,
  resources: idle,
  leftAlone: undefined,
  others: 0,
  claimable: 0,
};
const of = (change: Partial<ExclusionFacts>) => exclusionOf({ ...facts, ...change });
const limits = (change: Partial<Limits>) => madeUpResources({ limits: change });

test('who gives nothing gives nothing to this job either, whatever it chose', () => {
  expect(of({ resources: { ...held('not-donating'), state: 'off', limits: { ...idle.limits, never: [stranger] } } })).toBe('not-donating');
});

test('a choice and too little memory stand above what holds the machine back for the moment', () => {
  const never = { never: [stranger] };
  expect(of({ resources: limits(never) })).toBe('not-chosen');
  expect(of({ resources: { ...held('in-use'), limits: { ...idle.limits, ...never } } })).toBe('not-chosen');
  expect(of({ resources: limits({ memoryMiB: 128 }) })).toBe('job-memory');
});

test('then what holds all work back, then what is about this job alone', () => {
  expect(of({ resources: held('in-use'), leftAlone: 'broken' })).toBe('in-use');
  expect(of({ resources: { ...idle, finishing: true, reason: { code: 'finishing', sentence: '' } } })).toBe('finishing');
  expect(of({ leftAlone: 'unloadable', others: 1 })).toBe('unloadable');
  expect(of({ others: 1, claimable: 1 })).toBe('other-jobs');
  expect(of({ claimable: 1 })).toBe('about-to');
  expect(of({})).toBe('none-free');
  expect(of({ wanted: false })).toBe('nothing-wanted');
});

test('who has just come knows neither the job nor its own machine', () => {
  expect(of({ job: undefined })).toBe('not-known');
  expect(of({ resources: undefined })).toBe('starting');
});
