import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkLinearizable, type Model, type Operation } from './linearize.ts';
import { lockModel, type LockOp } from './lock-model.ts';

type RegisterOp = { readonly kind: 'write'; readonly value: number } | { readonly kind: 'read'; readonly value: number };
const register: Model<RegisterOp, number> = {
  initial: 0,
  looks: ({ kind }) => kind === 'read',
  key: String,
  step: (state, op) => (op.kind === 'write' ? op.value : op.value === state ? state : undefined),
};
const write = (value: number, call: number, returned: number): Operation<RegisterOp> => ({ op: { kind: 'write', value }, call, returned });
const read = (value: number, call: number, returned: number): Operation<RegisterOp> => ({ op: { kind: 'read', value }, call, returned });
const kindOf = (history: readonly Operation<RegisterOp>[]) => checkLinearizable(register, history).kind;

describe('a register', () => {
  it('may answer with either value while a write overlaps', () => {
    expect(kindOf([write(1, 0, 10), read(0, 1, 2), read(1, 3, 4)])).toBe('linearizable');
  });

  it('never goes back to an old value once the new one was read', () => {
    expect(kindOf([write(1, 0, 10), read(1, 1, 2), read(0, 3, 4)])).toBe('violated');
  });

  it('does not forget a write that returned', () => {
    expect(kindOf([write(1, 0, 1), read(0, 2, 3)])).toBe('violated');
  });

  it('may or may not have taken a write that was never answered, at any later time', () => {
    expect(kindOf([write(1, 0, Infinity), read(0, 2, 3)])).toBe('linearizable');
    expect(kindOf([write(1, 0, Infinity), read(0, 2, 3), read(1, 4, 5)])).toBe('linearizable');
    expect(kindOf([write(1, 0, Infinity), read(1, 2, 3), read(0, 4, 5)])).toBe('violated');
  });

  it('tells what it could not explain', () => {
    const verdict = checkLinearizable(register, [write(1, 0, 1), read(1, 2, 3), read(7, 4, 5)]);
    expect(verdict).toMatchObject({ kind: 'violated', stuck: [{ kind: 'read', value: 7 }] });
  });

  it('explains every history that a real register made', () => {
    const step = fc.record({
      client: fc.integer({ min: 0, max: 3 }),
      write: fc.boolean(),
      value: fc.integer({ min: 1, max: 3 }),
      lost: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        // Each client's operation is called, takes effect some steps later, and returns later still.
        let now = 0;
        let value = 0;
        const busy = new Map<number, { call: number; op: RegisterOp; lost: boolean }>();
        const history: Operation<RegisterOp>[] = [];
        for (const { client, write: writes, value: wanted, lost } of steps) {
          const under = busy.get(client);
          if (under === undefined)
            busy.set(client, { call: now++, op: writes ? { kind: 'write', value: wanted } : { kind: 'read', value: -1 }, lost });
          else {
            const op = under.op.kind === 'write' ? under.op : { kind: 'read' as const, value };
            if (op.kind === 'write') value = op.value;
            history.push({ op, call: under.call, returned: under.lost && op.kind === 'write' ? Infinity : now++ });
            busy.delete(client);
          }
        }
        expect(checkLinearizable(register, history).kind).toBe('linearizable');
      }),
    );
  });

  it('may take a write that changes nothing later, when it does', () => {
    expect(kindOf([write(1, 0, 1), write(1, 2, 20), write(2, 3, 10), read(1, 11, 12)])).toBe('linearizable');
  });

  it('stays quick on a long history with requests that nobody ever answered, as of a tab that is cut off', () => {
    const lost = Array.from({ length: 20_000 }, (_, i) => write(7, 2 * i + 0.5, Infinity));
    const answered = Array.from({ length: 20_000 }, (_, i) => (i % 2 === 0 ? write(i, 2 * i, 2 * i + 3) : read(i - 1, 2 * i, 2 * i + 1)));
    expect(kindOf([...lost, ...answered])).toBe('linearizable');
  });

  it('stays quick on a long history of which little overlaps', () => {
    const history = Array.from({ length: 1_000 }, (_, i) => (i % 2 === 0 ? write(i, 2 * i, 2 * i + 3) : read(i - 1, 2 * i, 2 * i + 1)));
    expect(checkLinearizable(register, history).kind).toBe('linearizable');
  });
});

describe('a lock at one holder', () => {
  const lock = (by: string, fence: number | null, call: number, returned: number): Operation<LockOp> => ({
    op: { kind: 'lock', by, fence },
    call,
    returned,
  });
  const release = (by: string, fence: number, call: number, returned: number): Operation<LockOp> => ({
    op: { kind: 'released', by, fence },
    call,
    returned,
  });
  const end = (by: string, fence: number, answer: 'ended' | 'conflict', call: number): Operation<LockOp> => ({
    op: { kind: 'end', by, fence, answer },
    call,
    returned: call + 1,
  });
  const verdict = (history: readonly Operation<LockOp>[]) => checkLinearizable(lockModel, history).kind;

  it('numbers its grants one by one', () => {
    expect(verdict([lock('a', 1, 0, 1), release('a', 1, 2, 3), lock('b', 2, 4, 5)])).toBe('linearizable');
  });

  it('never gives a number twice', () => {
    expect(verdict([lock('a', 1, 0, 1), lock('b', 1, 2, 3)])).toBe('violated');
  });

  it('skips a number only for a request that was not answered', () => {
    expect(verdict([lock('a', 1, 0, 1), lock('b', 3, 2, 3)])).toBe('violated');
    expect(verdict([lock('a', 1, 0, 1), lock('c', null, 1, Infinity), lock('b', 3, 2, 3)])).toBe('linearizable');
  });

  it('does not let a superseded owner renew or end', () => {
    const superseded = [lock('a', 1, 0, 1), lock('b', 2, 2, 3)];
    expect(verdict([...superseded, end('a', 1, 'conflict', 4)])).toBe('linearizable');
    expect(verdict([...superseded, end('a', 1, 'ended', 4)])).toBe('violated');
    expect(verdict([...superseded, { op: { kind: 'renewed', by: 'a', fence: 1 }, call: 4, returned: 5 }])).toBe('violated');
  });

  it('begins anew only when the lock has left the store', () => {
    const dropped = (lockGone: boolean): Operation<LockOp> => ({ op: { kind: 'dropped', lockGone }, call: 2, returned: 3 });
    expect(verdict([lock('a', 1, 0, 1), dropped(true), lock('b', 1, 4, 5)])).toBe('linearizable');
    expect(verdict([lock('a', 1, 0, 1), dropped(false), lock('b', 1, 4, 5)])).toBe('violated');
  });
});
