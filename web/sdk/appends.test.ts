import { describe, expect, it } from 'vitest';
import type { EventId } from '../kernel/lib/ids.ts';
import type { EventBody } from '../kernel/protocol/event.ts';
import type { JobInput } from '../kernel/protocol/job-manifest.ts';
import { someEvent, someJob } from '../kernel/testing/made-up-jobs.ts';
import { Appends } from './appends.ts';
import { testBus } from './testing/test-bus.ts';

const inputOf = (items: number): JobInput => ({ kind: 'range', items, offset: 0 });
const manifestItems = 10;

/** A ledger whose chain a test may turn to another branch, as an append from elsewhere would. */
class World {
  chain: { event: EventId; input: JobInput }[] = [];
  open = true;
  tooLate = 0;
  queued = 0;
  /** Runs before each event is written. */
  before: () => void = () => undefined;
  #events = 0;
  readonly appends: Appends;

  constructor() {
    const bus = testBus({
      'ledger decisions get': () => ({ open: this.open, tail: this.#tail(), items: this.items }),
      'ledger parts lookup': ({ parts }: { parts: EventId[] }) => ({
        counting: parts.filter((part) => this.chain.some(({ event }) => event === part)),
      }),
      'ledger events create': ({ body }: { body: Extract<EventBody, { kind: 'setting' }> }) => {
        this.before();
        if (body.append !== undefined) {
          if (!this.open || body.append.after !== this.#tail()) throw new Error('More input has come meanwhile.');
          if (body.append.first !== this.items) throw new Error('The input does not begin where the one before it ends.');
          return { event: this.add(body.append.input), acknowledged: 1 };
        }
        if (body.close!.after !== this.#tail()) throw new Error('More input has come meanwhile.');
        this.open = false;
        return { event: someEvent(999), acknowledged: 1 };
      },
      'scheduler jobs submit': () => {
        this.queued++;
        return { functions: 1 };
      },
    });
    const refusing: typeof bus = {
      ...bus,
      ask: (async (...all: Parameters<typeof bus.ask>) => {
        const outcome = await bus.ask(...all);
        return outcome.ok ? outcome : { ok: false, fault: { ...outcome.fault, code: 'refused' } };
      }) as typeof bus.ask,
    };
    this.appends = new Appends(
      () => refusing,
      () => someJob,
      () => void this.tooLate++,
    );
  }

  get items(): number {
    return this.chain.reduce((sum, { input }) => sum + input.items, manifestItems);
  }

  get sizes(): number[] {
    return this.chain.map(({ input }) => input.items);
  }

  add(input: JobInput): EventId {
    const event = someEvent(++this.#events);
    this.chain.push({ event, input });
    return event;
  }

  #tail(): EventId | null {
    return this.chain.at(-1)?.event ?? null;
  }
}

describe('appends', () => {
  it('go behind what came meanwhile', async () => {
    const world = new World();
    let others = 2;
    world.before = () => {
      if (others-- > 0) world.add(inputOf(100));
    };
    await world.appends.append(Promise.resolve(inputOf(3)));
    expect(world.sizes).toEqual([100, 100, 3]);
    expect(world.queued).toBe(1);
  });

  it('that lost their place to another tab are appended again behind it, in order and once, without a new upload', async () => {
    const world = new World();
    for (const items of [1, 2, 3]) await world.appends.append(Promise.resolve(inputOf(items)));
    await world.appends.check(true);
    expect(world.sizes).toEqual([1, 2, 3]);
    // Another tab's append behind the first one counts: the second and the third do not any more.
    const [first] = world.chain;
    world.chain = [first!];
    world.add(inputOf(50));
    await Promise.all([world.appends.check(true), world.appends.check(true)]);
    expect(world.sizes).toEqual([1, 50, 2, 3]);
    await world.appends.check(true);
    expect(world.sizes).toEqual([1, 50, 2, 3]);
  });

  it('keep their order also where one lost its place before the next was appended', async () => {
    const world = new World();
    await world.appends.append(Promise.resolve(inputOf(1)));
    world.chain = [];
    world.add(inputOf(50));
    await world.appends.append(Promise.resolve(inputOf(2)));
    expect(world.sizes).toEqual([50, 1, 2]);
  });

  it('to a closed job are refused, and one that lost its place to a close is said to be too late', async () => {
    const world = new World();
    await world.appends.append(Promise.resolve(inputOf(1)));
    world.chain = [];
    world.add(inputOf(50));
    world.open = false;
    await world.appends.check(false);
    expect([world.tooLate, world.sizes]).toEqual([1, [50]]);
    await world.appends.check(false);
    expect(world.tooLate).toBe(1);
    await expect(world.appends.append(Promise.resolve(inputOf(1)))).rejects.toMatchObject({
      code: 'job-ended',
      message: 'The job is closed.',
    });
  });

  it('a job that was closed here is closed again when an append that did not know of it goes first', async () => {
    const world = new World();
    await world.appends.close();
    world.open = true;
    world.add(inputOf(5));
    await world.appends.check(true);
    expect([world.open, world.sizes]).toEqual([false, [5]]);
  });

  it('whose input could not be uploaded do not hold up those after them', async () => {
    const world = new World();
    const failing = world.appends.append(Promise.reject(new Error('no room')));
    const next = world.appends.append(Promise.resolve(inputOf(2)));
    await expect(failing).rejects.toThrow('no room');
    await next;
    expect(world.sizes).toEqual([2]);
  });

  it('say what is wrong where the refusal is not about their place', async () => {
    const world = new World();
    world.before = () => {
      throw new Error('A job takes input at most 2000 times; append more of it at once.');
    };
    await expect(world.appends.append(Promise.resolve(inputOf(1)))).rejects.toThrow('append more of it at once');
  });
});
