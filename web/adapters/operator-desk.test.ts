import { expect, test } from 'vitest';
import { identityId } from '../kernel/lib/ids.ts';
import { signedText } from '../kernel/protocol/deny-list.ts';
import { operatorDesk } from './operator-desk.ts';

const key = identityId('a'.repeat(64));
const signed = { bytes: Uint8Array.of(1, 2, 3), signature: new Uint8Array(64).fill(7) };

/** A server that answers so. */
const deskOf = (status: number, body: string | null = null) => operatorDesk(key, () => Promise.resolve(new Response(body, { status })))!;
const noServer = operatorDesk(key, () => Promise.reject(new TypeError('no network')))!;

test('a site without an operator has no desk', () => {
  expect(operatorDesk(null)).toBeUndefined();
});

test('the list comes as the server has it, or none, or why not', async () => {
  expect(await deskOf(200, `${signedText(signed)}\n`).fetchList()).toEqual({ ok: true, value: signed });
  expect(await deskOf(200, 'null\n').fetchList()).toEqual({ ok: true, value: null });
  expect(await deskOf(200, '<html>').fetchList()).toMatchObject({ ok: false, fault: { code: 'malformed' } });
  expect(await deskOf(502).fetchList()).toMatchObject({ ok: false, fault: { code: 'unreachable' } });
  expect(await noServer.fetchList()).toMatchObject({ ok: false, fault: { code: 'unreachable' } });
});

test('a report is taken, to be tried again, or never to be taken', async () => {
  expect((await deskOf(204).sendReport(signed)).ok).toBe(true);
  for (const status of [429, 503]) expect(await deskOf(status).sendReport(signed)).toMatchObject({ fault: { code: 'overloaded' } });
  for (const status of [400, 405]) expect(await deskOf(status).sendReport(signed)).toMatchObject({ fault: { code: 'refused' } });
  expect(await noServer.sendReport(signed)).toMatchObject({ fault: { code: 'unreachable' } });
});
