import { describe, expect, it } from 'vitest';
import type { Running } from '../../kernel/protocol/contracts/executor.ts';
import { reasonHere } from '../../kernel/protocol/reasons.ts';
import { madeUpResources, type ResourceChanges } from '../../kernel/testing/made-up-resources.ts';
import { donating } from './wording.ts';

const state = (changes: ResourceChanges) => madeUpResources({ quietMs: 252_000, ...changes });
const run = { phase: 'running' } as Running;

describe('the Donate page', () => {
  it('says that the tab gives, with how many cores and since when nobody is there', () => {
    const said = donating(state({}), [run, run, run], 0, '');
    expect(said.heading).toBe('This tab is giving its lull');
    expect(said.sentence).toBe('Nobody is using it, so 3 of 4 cores are computing. Touch anything and they stop within a blink.');
    expect(said.ring).toEqual({ share: 1, text: '3 cores', below: 'computing · idle 4 min 12 s' });
  });

  it('says what it waits for when it could work and has none', () => {
    expect(donating(state({}), [], 0, '').sentence).toBe('Nobody is using it, and it is ready. There is no work for it just now.');
    expect(donating(state({}), [], 0, 'Every part is claimed.').sentence).toMatch(/Every part is claimed\.$/);
  });

  it('counts down to when it goes on, and fills the ring meanwhile', () => {
    const said = donating(
      state({
        state: 'cooling',
        workersAllowed: 0,
        resumesInMs: 9_000,
        reason: { code: 'cooling', sentence: 'Somebody was here a moment ago.' },
      }),
      [],
      3_000,
      '',
    );
    expect(said.heading).toBe('Somebody is using this machine, so Lull waits');
    expect(said.ring).toEqual({ share: 0.6, text: 'waiting', below: 'goes on in 6 s' });
    expect(said.sentence).toBe('Somebody was here a moment ago. It goes on 15 s after the last touch.');
  });

  it('says nothing twice while somebody is there, and rests ready when there is no work', () => {
    const there = state({
      state: 'in use',
      workersAllowed: 0,
      resumesInMs: 15_000,
      reason: { code: 'in-use', sentence: 'Somebody is using this machine, so Lull waits.' },
    });
    expect(donating(there, [], 0, '').sentence).toBe('It goes on 15 s after the last touch.');
    expect(donating(state({}), [], 0, '').ring).toEqual({ share: 0, text: 'ready', below: 'idle 4 min 12 s' });
    expect(donating(state({}), [run], 0, '').sentence).toMatch(/1 of 4 cores is computing\. Touch anything and it stops/);
  });

  const held = (code: 'on-battery' | 'yielding' | 'in-use' | 'finishing' | 'frozen') => ({ code, sentence: reasonHere(code) });

  it('names what holds it back, the strongest in a sentence and the rest beside it', () => {
    const said = donating(
      state({
        state: 'constrained',
        workersAllowed: 0,
        resumesInMs: null,
        reason: held('on-battery'),
        reasons: [held('on-battery'), held('in-use')],
      }),
      [],
      0,
      '',
    );
    expect(said.sentence).toBe('This machine runs on its battery, and you chose not to compute then.');
    expect(said.beside).toEqual(['Somebody is using this machine, so Lull waits.']);
    expect(said.ring.below).toBe('until that changes');
  });

  it('says why it uses less than it may', () => {
    const yielding = state({ workersAllowed: 1, reason: held('yielding'), reasons: [held('yielding')] });
    expect(donating(yielding, [run], 0, '').sentence).toMatch(/^Other programs need the processor.* Now 1 of 4 cores is computing/);
    expect(donating(yielding, [], 0, '').sentence).toMatch(/^Other programs need the processor/);
  });

  it('says that it is about to stop, or that it sleeps', () => {
    const finishing = donating(state({ state: 'stopped', finishing: true, reason: held('finishing') }), [run], 0, '');
    expect([finishing.heading, finishing.ring.below]).toEqual(['Lull is about to stop', '1 part to go']);
    expect(donating(state({ state: 'stopped', reason: held('frozen') }), [], 0, '').heading).toBe('Lull sleeps');
  });

  it('says that it does not donate', () =>
    expect(donating(state({ state: 'off', donating: false, resumesInMs: null }), [], 0, '').heading).toBe('This tab is not donating'));
});
