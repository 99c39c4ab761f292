// What this profile sent and fetched today, kept in the store so that a reload does not begin anew.
import * as v from 'valibot';
import type { Cancel } from '../../platform.ts';
import { networkContract } from '../../protocol/contracts/network.ts';
import type { resourcesContract } from '../../protocol/contracts/resources.ts';
import { amount, natural } from '../../protocol/schemas.ts';
import type { ServiceContext } from '../../service.ts';
import { count, dayOf, onDay, type Counted, type LinkBytes, type Traffic } from './traffic.ts';

const trafficKey = 'resources/traffic';
const countEveryMs = 10_000;
const mebibyte = 1024 * 1024;
const trafficSchema = v.strictObject({ day: natural, upBytes: amount, downBytes: amount });

export class TrafficMeter {
  #traffic: Traffic = { day: 0, upBytes: 0, downBytes: 0 };
  #counted: Counted = new Map();
  #kept = '';
  #told = '';
  #running = false;
  #timer: Cancel | undefined;
  #unwatch: Cancel | undefined;

  constructor(
    private readonly context: ServiceContext<typeof resourcesContract>,
    private readonly localMs: () => number,
    private readonly changed: () => void,
  ) {}

  async recall(): Promise<void> {
    const kept = await this.context.platform.storage.get('meta', trafficKey);
    const parsed = v.safeParse(trafficSchema, kept.ok ? kept.value : undefined);
    if (parsed.success) this.#traffic = parsed.output;
  }

  start(): void {
    this.#running = true;
    // Also when a link opens or closes: what it counted goes with it.
    this.#unwatch = this.context.watch(networkContract, 'links', ({ links }) => this.#count(links));
    this.#next();
  }

  stop(): void {
    this.#running = false;
    this.#timer?.();
    this.#unwatch?.();
    this.#timer = this.#unwatch = undefined;
  }

  today(): { readonly uploadMiB: number; readonly downloadMiB: number } {
    const { upBytes, downBytes } = onDay(this.#traffic, dayOf(this.localMs()));
    return { uploadMiB: Math.floor(upBytes / mebibyte), downloadMiB: Math.floor(downBytes / mebibyte) };
  }

  #next(): void {
    this.#timer = this.context.platform.clock.after(countEveryMs, () => {
      this.#next();
      void this.#ask();
    });
  }

  async #ask(): Promise<void> {
    const reply = await this.context.ask(networkContract, 'links', 'query', {});
    if (!this.#running || !reply.ok) return;
    this.#count(reply.value.body.links);
    const kept = JSON.stringify(this.#traffic);
    if (kept === this.#kept) return;
    this.#kept = kept;
    // Lost, it is counted from nothing after the next reload: no harm to the person's data.
    await this.context.platform.storage.write([{ table: 'meta', key: trafficKey, value: this.#traffic }]);
  }

  #count(links: readonly LinkBytes[]): void {
    const counted = count(this.#traffic, this.#counted, links, dayOf(this.localMs()));
    this.#traffic = counted.traffic;
    this.#counted = counted.counted;
    const now = JSON.stringify(this.today());
    if (now === this.#told) return;
    this.#told = now;
    this.changed();
  }
}
