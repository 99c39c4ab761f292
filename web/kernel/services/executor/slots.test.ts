import { expect, test } from 'vitest';
import { admitted, evicted, type Ticket } from './slots.ts';

const ticket = (id: number, alone = false): Ticket => ({ id, alone });
const ids = (tickets: readonly Ticket[]) => tickets.map(({ id }) => id);

test('as many run as are allowed, in the order they asked', () => {
  expect(ids(admitted({ allowed: 3, running: [ticket(1)], waiting: [ticket(2), ticket(3), ticket(4)] }))).toEqual([2, 3]);
});

test('nothing starts where nothing may run', () => {
  expect(admitted({ allowed: 0, running: [], waiting: [ticket(1), ticket(2, true)] })).toEqual([]);
});

test('a suspect waits until all others have ended, and nobody overtakes it', () => {
  const waiting = [ticket(2, true), ticket(3)];
  expect(admitted({ allowed: 4, running: [ticket(1)], waiting })).toEqual([]);
  expect(ids(admitted({ allowed: 4, running: [], waiting }))).toEqual([2]);
});

test('nobody joins a suspect that runs', () => {
  expect(admitted({ allowed: 4, running: [ticket(1, true)], waiting: [ticket(2)] })).toEqual([]);
});

test('the latest end where fewer may run, and everyone where none may', () => {
  const slots = { running: [ticket(1), ticket(2), ticket(3)], waiting: [ticket(4)] };
  expect(ids(evicted({ ...slots, allowed: 1 }))).toEqual([2, 3]);
  expect(ids(evicted({ ...slots, allowed: 0 }))).toEqual([1, 2, 3, 4]);
  expect(evicted({ ...slots, allowed: 3 })).toEqual([]);
});
