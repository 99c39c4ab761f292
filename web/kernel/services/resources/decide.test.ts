import { expect, test } from 'vitest';
import { decide, defaultLimits, type Facts } from './decide.ts';

const facts = (change: Partial<Facts> = {}): Facts => ({
  consent: true,
  secondTab: false,
  visible: true,
  quietMs: 60_000,
  touched: true,
  limits: defaultLimits(4),
  coresOfMachine: 4,
  ...change,
});
const short = (change: Partial<Facts> = {}) => {
  const { state, againInMs } = decide(facts(change));
  return [state.state, state.reason.code, state.workersAllowed, state.resumesInMs, againInMs];
};

test('nothing runs without consent, in words that say which', () => {
  expect(short({ consent: null })).toEqual(['off', 'not-asked', 0, null, null]);
  expect(short({ consent: false })).toEqual(['off', 'not-donating', 0, null, null]);
});

test('the second tab of a profile does not donate, whatever was agreed', () => {
  expect(short({ secondTab: true })).toEqual(['off', 'other-tab', 0, null, null]);
  expect(decide(facts({ secondTab: true })).state.donating).toBe(false);
});

test('one input puts a visible tab in use, then it cools, then it is idle', () => {
  expect(short({ quietMs: 0 })).toEqual(['in use', 'in-use', 0, 15_000, 1_000]);
  expect(short({ quietMs: 999 })).toEqual(['in use', 'in-use', 0, 14_001, 1]);
  expect(short({ quietMs: 1_000 })).toEqual(['cooling', 'cooling', 0, 14_000, 1_000]);
  expect(short({ quietMs: 14_250 })).toEqual(['cooling', 'cooling', 0, 750, 750]);
  expect(short({ quietMs: 15_000 })).toEqual(['idle', '', 3, 0, null]);
});

test('while it cools it looks again on whole seconds of what is left', () => {
  expect(decide(facts({ quietMs: 2_400 }))).toMatchObject({ state: { resumesInMs: 12_600 }, againInMs: 600 });
  expect(decide(facts({ quietMs: 14_999 }))).toMatchObject({ state: { resumesInMs: 1 }, againInMs: 1 });
});

test('a tab that nobody has touched since it was opened is idle, and tells how long it is open', () => {
  const { state } = decide(facts({ touched: false, quietMs: 20 }));
  expect([state.state, state.quietMs]).toEqual(['idle', 20]);
});

test('a hidden tab is idle after a moment, and input told by another tab still stops it', () => {
  expect(short({ visible: false, quietMs: 1_000 })).toEqual(['idle', '', 3, 0, null]);
  expect(short({ visible: false, quietMs: 10 })).toEqual(['in use', 'in-use', 0, 990, 990]);
});

test('a chosen quiet time of nothing means idle at once, hidden or not', () => {
  const limits = { ...defaultLimits(4), idleAfterSeconds: 0 };
  expect(short({ limits, quietMs: 0 })).toEqual(['idle', '', 3, 0, null]);
});

test('a tab told to ignore input never leaves idle', () => {
  expect(short({ limits: { ...defaultLimits(4), whenBusy: 'ignore' }, quietMs: 0 })).toEqual(['idle', '', 3, 0, null]);
});

test('no more cores are used than there are, and one at least', () => {
  expect(short({ limits: { ...defaultLimits(4), cores: 64 } })[2]).toBe(4);
  expect(defaultLimits(1).cores).toBe(1);
  expect(decide(facts({ coresOfMachine: 1, limits: defaultLimits(1) })).state.reason.sentence).toContain('1 of 1 core.');
});
