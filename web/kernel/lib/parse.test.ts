import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { frameSchema } from '../protocol/frame.ts';
import { eventSchema } from '../protocol/event.ts';
import { membershipContract } from '../protocol/contracts/membership.ts';
import { ledgerContract } from '../protocol/contracts/ledger.ts';
import { parse } from './parse.ts';
import { encodeWire } from './wire-codec.ts';

const hex = (digits: number) => 'a1'.repeat(digits / 2);
const peer = `${hex(32)}-${hex(16)}`;

/** What passes between tabs, one of many kinds each. */
const samples: readonly (readonly [name: string, schema: v.GenericSchema, tree: unknown])[] = [
  [
    'a request',
    frameSchema,
    {
      t: 'request',
      id: 7,
      to: 'lull://g/p/queue/hints',
      from: 'lull://g/q/queue',
      verb: 'update',
      deadline: 2.5,
      trace: hex(16),
      body: { any: [1, null, 'thing'] },
      buffers: [3, 0],
      transfer: 1,
    },
  ],
  ['neighbours', frameSchema, { t: 'neighbours', peers: [peer], gone: [] }],
  ['a good-bye', frameSchema, { t: 'bye', code: 'leaving', sentence: 'It leaves.' }],
  [
    'a probe',
    membershipContract.resources.probes.query.request,
    {
      group: hex(32),
      rumours: [
        { peer, identity: hex(64), store: null, incarnation: 3, status: 'alive', offer: null },
        {
          peer,
          identity: hex(64),
          store: hex(32),
          incarnation: 0,
          status: 'suspect',
          offer: {
            state: 'idle',
            reason: '',
            machine: { cores: 2, memoryMiB: null },
            sandbox: { workersAllowed: 2, workersRunning: 0, claimed: 1, itemsPerSecond: 0.25 },
            storage: { keeps: true, usedMiB: 0, allowedMiB: 10 },
          },
        },
      ],
      seen: 1,
      view: 12,
      all: true,
    },
  ],
  [
    'a computed event',
    eventSchema,
    {
      v: 1,
      job: hex(64),
      actor: peer,
      n: 2,
      identity: hex(64),
      at: 5.5,
      body: {
        kind: 'computed',
        range: [0, 4],
        failed: [[1, 2]],
        round: 0,
        record: null,
        result: hex(64),
        resultHash: hex(64),
        tookMs: 3,
      },
    },
  ],
  [
    'an exchange',
    ledgerContract.resources.clocks.query.request,
    {
      jobsKnown: hex(64),
      window: { after: null, until: hex(64) },
      clocks: [{ job: hex(64), clock: { [peer]: [[1, 4]] }, digest: hex(64) }],
      over: [hex(64)],
    },
  ],
];

/** As the library does it, what is wrong included. */
function byLibrary(schema: v.GenericSchema, tree: unknown) {
  const parsed = v.safeParse(schema, tree);
  return parsed.success ? { success: true, output: parsed.output } : { success: false, message: parsed.issues[0].message };
}

describe('parsing', () => {
  it.each(samples)('takes %s as it is, not copied', (_name, schema, tree) => {
    const parsed = parse(schema, tree);
    expect(parsed.success && parsed.output === tree).toBe(true);
    expect(byLibrary(schema, tree)).toEqual(parsed);
  });

  const oddities: readonly unknown[] = [
    undefined,
    null,
    -1,
    0.5,
    Number.NaN,
    '',
    'x',
    peer,
    [],
    [1],
    {},
    { a: 1 },
    new Uint8Array(3),
    true,
  ];

  it.each(samples)('decides what has become of %s as the library does, with the same keys in the same order', (_name, schema, tree) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.nat(oddities.length - 1)), { minLength: 1, maxLength: 3 }), (changes) => {
        const changed = structuredClone(tree);
        for (const [where, how, which] of changes) alter(changed, where, how, structuredClone(oddities[which]));
        const ours = parse(schema, changed);
        const theirs = byLibrary(schema, changed);
        expect(ours).toEqual(theirs);
        expect(encodeWire(ours)).toEqual(encodeWire(theirs));
      }),
      { numRuns: 300 },
    );
  });

  it('leaves to the library what changes a value, or fills one in', () => {
    expect(parse(v.object({ a: v.number() }), { a: 1, b: 2 })).toEqual({ success: true, output: { a: 1 } });
    expect(parse(v.strictObject({ a: v.optional(v.number(), 3) }), {})).toEqual({ success: true, output: { a: 3 } });
    expect(parse(v.pipe(v.string(), v.transform(Number)), '4')).toEqual({ success: true, output: 4 });
    expect(parse(v.record(v.string(), v.number()), JSON.parse('{"__proto__": 1, "a": 2}'))).toEqual({ success: true, output: { a: 2 } });
  });
});

/** Somewhere in the tree: replaces a value, takes one out, or adds one before the others. */
function alter(tree: unknown, where: number, how: number, value: unknown): void {
  const places: (readonly [Record<string, unknown>, string])[] = [];
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null || node instanceof Uint8Array) return;
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, unknown>, key]);
      visit((node as Record<string, unknown>)[key]);
    }
  };
  visit(tree);
  const place = places[where % Math.max(1, places.length)];
  if (place === undefined) return;
  const [node, key] = place;
  if (how === 0) node[key] = value;
  else if (Array.isArray(node)) node.push(value);
  else {
    const { [key]: taken, ...rest } = node;
    for (const name of Object.keys(node)) delete node[name];
    // Last instead of where it was, or not at all.
    Object.assign(node, rest, how === 1 ? {} : { [key]: taken });
  }
}
