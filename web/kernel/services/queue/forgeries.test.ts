import { expect, it } from 'vitest';
import { identityId, recordId, storeId } from '../../lib/ids.ts';
import { forgeriesMax } from '../../protocol/contracts/queue.ts';
import { Forgeries } from './forgeries.ts';

const hex = (n: number, digits: number) => n.toString(16).padStart(digits, '0');

it('who forged is listed once, with how often and the latest record, and the list is bounded', () => {
  const forgeries = new Forgeries();
  const note = (n: number, record: number) =>
    forgeries.note('slice', identityId(hex(n, 64)), storeId(hex(n, 32)), recordId(hex(record, 64)));
  expect(note(1, 1)).toBe(true);
  expect(note(1, 2)).toBe(false);
  expect(forgeries.note('label', identityId(hex(1, 64)), null, recordId(hex(3, 64)))).toBe(true);
  expect(forgeries.list()).toMatchObject([
    { what: 'slice', record: hex(2, 64), times: 2 },
    { what: 'label', store: null, times: 1 },
  ]);
  for (let n = 2; n < 200; n++) note(n, n);
  expect(forgeries.list()).toHaveLength(forgeriesMax);
  expect(forgeries.list().at(-1)!.identity).toBe(hex(199, 64));
});
