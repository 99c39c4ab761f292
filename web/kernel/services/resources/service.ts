// Decides how many workers may run now. It keeps the facts (consent, limits, the last input, what the machine tells), decides anew on each
// event (decide.ts), publishes at once, and tells the group through membership's offer.
import * as v from 'valibot';
import { FaultError } from '../../lib/outcome.ts';
import type { Cancel } from '../../platform.ts';
import { executorContract, type Running } from '../../protocol/contracts/executor.ts';
import { membershipContract } from '../../protocol/contracts/membership.ts';
import { pauseMsMax, resourcesContract, type Limits, type ResourceState } from '../../protocol/contracts/resources.ts';
import { schedulerContract } from '../../protocol/contracts/scheduler.ts';
import type { Offer } from '../../protocol/offer.ts';
import type { Service, ServiceContext, ServiceFactory } from '../../service.ts';
import { chosenSchema, defined, limitsKey, type Chosen } from './choices.ts';
import { decide, defaultLimits, freshMemory, inUseMs, silentMachine, type Decision, type Facts, type Memory } from './decide.ts';
import { ForeignLoad } from './foreign-load.ts';
import { offerOf, sameOffer } from './offers.ts';
import { typicalStretch, withStretch, stretchesMax } from './stretches.ts';
import { TrafficMeter } from './traffic-meter.ts';

const consentKey = 'resources/consent';
const stretchesKey = 'resources/stretches';
const pauseKey = 'resources/pause';
/** Numbers of running work reach the group no more often than so; a change of state does at once. */
const offerEveryMs = 1_000;
const estimateEveryMs = 30_000;
/** What a person may choose, whatever the machine: beyond it is a slip of the hand. */
const idleAfterSecondsMax = 24 * 3_600;
/** Workers that ran so lately may still show in what the machine reports. */
const recentMs = 5_000;
/** With less room than this in the browser's storage a result would have no place. */
const roomBytesMin = 16 * 1024 * 1024;
/** The system says that nobody is there only when that was so for a minute. */
const awayMs = 60_000;

const stretchesSchema = v.pipe(v.array(v.pipe(v.number(), v.finite(), v.minValue(0))), v.maxLength(stretchesMax));

export const resourcesService: ServiceFactory<typeof resourcesContract> = (context) => new Resources(context);

class Resources implements Service<typeof resourcesContract> {
  readonly contract = resourcesContract;
  readonly handlers: Service<typeof resourcesContract>['handlers'] = {
    state: { get: () => this.#decideNow().state },
    limits: { update: (change) => this.#updateLimits(change) },
    pause: { replace: ({ ms }) => this.#pause(ms) },
    consent: { replace: ({ donating, finish }) => this.#replaceConsent(donating, finish === true) },
  };
  #started = false;
  readonly #cancels: Cancel[] = [];
  #consent: boolean | null = null;
  #chosen: Chosen = {};
  #openedAt = 0;
  #touched: { readonly atMs: number; readonly kind: 'input' | 'view' } | undefined;
  #personWasActive = false;
  #finishing = false;
  /** By the wall clock, for it outlives the page. */
  #pausedUntil = 0;
  #memory: Memory = freshMemory;
  #stretches: readonly number[] = [];
  #recent = { workers: 0, atMs: -Infinity };
  readonly #load: ForeignLoad;
  readonly #traffic: TrafficMeter;
  #published: ResourceState | undefined;
  #timer: Cancel | undefined;
  #running: readonly Running[] = [];
  #itemsPerSecond = 0;
  #usedBytes = 0;
  #quotaBytes = 0;
  #offered: Offer | undefined;
  #offeredAt = -Infinity;
  #offerTimer: Cancel | undefined;
  #estimateTimer: Cancel | undefined;

  constructor(private readonly context: ServiceContext<typeof resourcesContract>) {
    const { clock, machine } = context.platform;
    this.#load = new ForeignLoad({
      clock,
      machine,
      room: () => ({ cores: machine.cores, full: Math.min(machine.cores, this.#limits().cores), running: this.#workers() }),
      changed: () => void this.#change(),
    });
    this.#traffic = new TrafficMeter(
      context,
      () => this.#localMs(),
      () => void this.#change(),
    );
  }

  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const { platform } = this.context;
    this.#openedAt = platform.clock.now();
    await this.#recall();
    if (!this.#started) return;
    this.#cancels.push(
      platform.machine.watch({
        input: () => this.#touch('input'),
        visible: () => this.#touch('view'),
        signals: () => this.#signalled(),
        slow: (ms) => this.#load.slow(ms),
      }),
      this.context.watch(executorContract, 'running', ({ running }) => this.#ran(running)),
      this.context.watch(executorContract, 'probe', (reading) => this.#load.probe(reading)),
      this.context.watch(schedulerContract, 'given', ({ itemsPerSecond }) => {
        this.#itemsPerSecond = itemsPerSecond;
        this.#offerSoon();
      }),
    );
    this.#personWasActive = this.#signals().person === 'active';
    this.#traffic.start();
    this.#change();
    void this.#estimate();
  }

  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    for (const cancel of this.#cancels.splice(0)) cancel();
    for (const timer of [this.#timer, this.#offerTimer, this.#estimateTimer]) timer?.();
    this.#timer = this.#offerTimer = this.#estimateTimer = undefined;
    this.#load.active(false);
    this.#traffic.stop();
  }

  async #recall(): Promise<void> {
    const { storage } = this.context.platform;
    const [consent, limits, stretches, pause] = await Promise.all([
      storage.get('meta', consentKey),
      storage.get('meta', limitsKey),
      storage.get('meta', stretchesKey),
      storage.get('meta', pauseKey),
      this.#traffic.recall(),
    ]);
    this.#consent = consent.ok && typeof consent.value === 'boolean' ? consent.value : null;
    const parsed = v.safeParse(chosenSchema, limits.ok ? (limits.value ?? {}) : {});
    if (parsed.success) this.#chosen = parsed.output;
    if (pause.ok && typeof pause.value === 'number') this.#pausedUntil = pause.value;
    const kept = v.safeParse(stretchesSchema, stretches.ok ? (stretches.value ?? []) : []);
    if (kept.success) this.#stretches = kept.output;
  }

  /** Input, or the tab was shown or hidden. Runs inside the browser's event: the stop of the workers hangs on it. */
  #touch(kind: 'input' | 'view'): void {
    const atMs = this.context.platform.clock.now();
    const before = this.#touched;
    this.#touched = { atMs, kind };
    // A thousand moves of a pointer in a second: the timer that is set looks again when it is due.
    const told = this.#published?.reasons.some(({ code }) => code === 'in-use' || code === 'shown') === true;
    if (told && before?.kind === kind && atMs - before.atMs < inUseMs) return;
    this.#change();
  }

  #signalled(): void {
    const active = this.#signals().person === 'active';
    // Nobody has been there for a minute, in any program.
    if (this.#personWasActive && !active) {
      const atMs = this.context.platform.clock.now() - awayMs;
      if (atMs > (this.#touched?.atMs ?? -Infinity)) this.#touched = { atMs, kind: 'input' };
    }
    this.#personWasActive = active;
    this.#change();
  }

  #ran(running: readonly Running[]): void {
    this.#running = running;
    const now = this.context.platform.clock.now();
    const workers = this.#workers();
    if (workers >= this.#recent.workers || now - this.#recent.atMs > recentMs) this.#recent = { workers, atMs: now };
    if (this.#finishing && running.length === 0) void this.#replaceConsent(false, false);
    else this.#offerSoon();
  }

  #workers(): number {
    return this.#running.filter(({ phase }) => phase === 'running').length;
  }

  #signals() {
    return this.context.platform.machine.signals?.() ?? silentMachine;
  }

  #localMs(): number {
    const { clock, machine } = this.context.platform;
    return clock.wall() + (machine.utcOffsetMinutes?.() ?? 0) * 60_000;
  }

  #limits(): Limits {
    const { cores, memoryMiB } = this.context.platform.machine;
    return { ...defaultLimits(cores, memoryMiB), ...defined(this.#chosen) };
  }

  #facts(): Facts {
    const { clock, machine, profileRole } = this.context.platform;
    const nowMs = clock.now();
    const limits = this.#limits();
    const yields = limits.whenBusy === 'yield';
    return {
      nowMs,
      localMs: this.#localMs(),
      consent: this.#consent,
      secondTab: profileRole === 'second',
      finishing: this.#finishing,
      // A clock that was set back must not make it longer than anybody may ask for.
      pausedMs: Math.min(pauseMsMax, Math.max(0, this.#pausedUntil - clock.wall())),
      visible: machine.visible(),
      quietMs: Math.max(0, nowMs - (this.#touched?.atMs ?? this.#openedAt)),
      touch: this.#touched?.kind ?? null,
      limits,
      coresOfMachine: machine.cores,
      signals: this.#signals(),
      today: this.#traffic.today(),
      storageFull: this.#quotaBytes > 0 && this.#quotaBytes - this.#usedBytes < roomBytesMin,
      ownWorkers: nowMs - this.#recent.atMs < recentMs ? Math.max(this.#recent.workers, this.#workers()) : this.#workers(),
      window: yields ? this.#load.window : Infinity,
      windowWhy: yields ? this.#load.why : null,
      takenByOthers: yields ? this.#load.taken : null,
    };
  }

  #decideNow(): Decision {
    return decide(this.#memory, this.#facts());
  }

  /** Decides, publishes in the same turn, and sets the next look. */
  #change(): ResourceState {
    const before = this.#memory;
    const { memory, state, againInMs } = this.#decideNow();
    this.#timer?.();
    this.#timer = undefined;
    if (!this.#started) return state;
    this.#memory = memory;
    this.#published = state;
    this.context.publish('state', state);
    if (againInMs !== null) this.#timer = this.context.platform.clock.after(againInMs, () => this.#change());
    this.#load.active(memory.started && state.limits.whenBusy === 'yield');
    if (before.started && !memory.started && before.startedAtMs !== null && state.donating) this.#stretchEnded(before.startedAtMs);
    this.#offerSoon();
    return state;
  }

  #stretchEnded(startedAtMs: number): void {
    const stretches = withStretch(this.#stretches, this.context.platform.clock.now() - startedAtMs);
    if (stretches === this.#stretches) return;
    this.#stretches = stretches;
    void this.#remember(stretchesKey, stretches);
  }

  /** The person has said what they want: nothing that was held back before is held against it. */
  #begin(): ResourceState {
    this.#memory = freshMemory;
    this.#load.reset();
    return this.#change();
  }

  async #updateLimits(change: Chosen): Promise<ResourceState> {
    const merged = { ...this.#chosen, ...defined(change) };
    const parsed = v.safeParse(chosenSchema, merged);
    if (!parsed.success) throw new FaultError('malformed', `These limits do not fit: ${parsed.issues[0].message}`);
    if ((parsed.output.idleAfterSeconds ?? 0) > idleAfterSecondsMax) throw new FaultError('malformed', 'The quiet time is a day at most.');
    this.#chosen = parsed.output;
    const state = this.#begin();
    await this.#remember(limitsKey, parsed.output);
    return state;
  }

  async #replaceConsent(donating: boolean, finish: boolean): Promise<ResourceState> {
    if (donating && this.context.platform.profileRole === 'second') {
      throw new FaultError('refused', 'Another tab of this browser speaks for it: start donating there.');
    }
    // Where nothing runs there is nothing to finish.
    if (!donating && finish && this.#consent === true && this.#workers() > 0) {
      this.#finishing = true;
      return this.#change();
    }
    this.#finishing = false;
    // Who starts anew has not asked for the pause of last time.
    if (donating && this.#consent !== true && this.#pausedUntil !== 0) await this.#pause(0);
    this.#consent = donating;
    const state = this.#begin();
    await this.#remember(consentKey, donating);
    return state;
  }

  async #pause(ms: number): Promise<ResourceState> {
    this.#pausedUntil = ms === 0 ? 0 : this.context.platform.clock.wall() + ms;
    const state = ms === 0 ? this.#begin() : this.#change();
    await this.#remember(pauseKey, this.#pausedUntil);
    return state;
  }

  /** It counts now in any case; where it cannot be kept the person is asked again next time. */
  async #remember(key: string, value: unknown): Promise<void> {
    const { platform } = this.context;
    const outcome = await platform.storage.write([{ table: 'meta', key, value }]);
    if (!outcome.ok) platform.report('warning', `the choice could not be kept: ${outcome.fault.message}`);
  }

  #offer(): Offer {
    const { clock, machine, storage } = this.context.platform;
    return offerOf({
      resources: this.#published ?? this.#decideNow().state,
      memoryMiB: machine.memoryMiB,
      durable: storage.durable,
      usedBytes: this.#usedBytes,
      quotaBytes: this.#quotaBytes,
      running: this.#running,
      itemsPerSecond: this.#itemsPerSecond,
      stretchSeconds: typicalStretch(this.#stretches, this.#memory.started ? clock.now() - (this.#memory.startedAtMs ?? 0) : 0),
    });
  }

  #offerSoon(): void {
    if (!this.#started) return;
    const offer = this.#offer();
    const before = this.#offered;
    if (before !== undefined && sameOffer(before, offer)) return;
    const urgent =
      before === undefined ||
      before.state !== offer.state ||
      before.reason !== offer.reason ||
      before.sandbox.workersAllowed !== offer.sandbox.workersAllowed;
    const { clock } = this.context.platform;
    const wait = this.#offeredAt + offerEveryMs - clock.now();
    if (!urgent && wait > 0) {
      this.#offerTimer ??= clock.after(wait, () => {
        this.#offerTimer = undefined;
        this.#offerSoon();
      });
      return;
    }
    this.#offered = offer;
    this.#offeredAt = clock.now();
    void this.context.ask(membershipContract, 'offer', 'replace', offer).then((outcome) => {
      // A tab without a group has nobody to tell.
      if (!outcome.ok && outcome.fault.code !== 'unknown-uri')
        this.context.platform.report('warning', `the offer was not taken: ${outcome.fault.message}`);
    });
  }

  async #estimate(): Promise<void> {
    const { usedBytes, quotaBytes } = await this.context.platform.storage.estimate();
    this.#usedBytes = usedBytes;
    this.#quotaBytes = quotaBytes;
    if (!this.#started) return;
    this.#change();
    this.#estimateTimer = this.context.platform.clock.after(estimateEveryMs, () => void this.#estimate());
  }
}
