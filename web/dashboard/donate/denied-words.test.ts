import { expect, test } from 'vitest';
import type { DeniedState } from '../../kernel/protocol/contracts/abuse.ts';
import { identityId, peerId } from '../../kernel/lib/ids.ts';
import { deniedWords, refusedWords, whyDenied } from './denied-words.ts';

const job = 'a'.repeat(64);
const state = (changes: Partial<DeniedState> = {}): DeniedState => ({
  operator: identityId('f'.repeat(64)),
  version: 3,
  signedAt: Date.UTC(2026, 0, 1, 12),
  entries: [],
  refused: [],
  reportsWaiting: 0,
  ...changes,
});
const entry = (what: 'job' | 'code' | 'identity', id: string) => ({ what, id, reason: 'It sends spam.' });

test('it says how much of what is denied, and which reports wait', () => {
  expect(deniedWords(state())).toBe('The operator of this site has denied nothing.');
  const entries = [entry('job', job), entry('job', 'b'.repeat(64)), entry('code', job), entry('identity', job)];
  expect(deniedWords(state({ entries }))).toMatch(/has denied 2 jobs, the code of 1 program and 1 person: none of it runs .*list 3/);
  expect(deniedWords(state({ entries: entries.slice(0, 1) }))).toMatch('has denied 1 job: none of it');
  expect(deniedWords(state({ reportsWaiting: 2 }))).toMatch(/2 reports of yours wait for the server\.$/);
});

test('the last list that was refused is named, with who gave it', () => {
  expect(refusedWords(state())).toBe('');
  const refused = [{ by: peerId(`${'ab'.repeat(16)}-${'0'.repeat(16)}`), why: 'It is not signed.', at: 0 }];
  expect(refusedWords(state({ refused }))).toBe('A deny list from the tab abababab was refused. It is not signed.');
  expect(refusedWords(state({ refused: [{ ...refused[0]!, by: null }] }))).toMatch('from the server');
});

test('the page of a denied job says why, and of another nothing', () => {
  expect(whyDenied(state({ entries: [entry('job', job)] }), job)).toBe('The operator of this site has denied this job: It sends spam.');
  expect(whyDenied(state(), job)).toBeUndefined();
  expect(whyDenied(null, job)).toBeUndefined();
  expect(whyDenied(state(), 'no id')).toBeUndefined();
});
