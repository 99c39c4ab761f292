// Decides how many workers may run now. It keeps the facts (consent, limits, the last input), decides anew on each event (decide.ts), publishes
// at once, and tells the group through membership's offer.
import * as v from 'valibot';
import { FaultError } from '../../lib/outcome.ts';
import type { Cancel } from '../../platform.ts';
import { executorContract, type Running } from '../../protocol/contracts/executor.ts';
import { membershipContract } from '../../protocol/contracts/membership.ts';
import { limitsSchema, resourcesContract, type Limits, type ResourceState } from '../../protocol/contracts/resources.ts';
import { schedulerContract } from '../../protocol/contracts/scheduler.ts';
import type { Offer } from '../../protocol/offer.ts';
import type { Service, ServiceContext, ServiceFactory } from '../../service.ts';
import { decide, defaultLimits, type Decision } from './decide.ts';
import { offerOf, sameOffer } from './offers.ts';

const consentKey = 'resources/consent';
const limitsKey = 'resources/limits';
/** Numbers of running work reach the group no more often than so; a change of state does at once. */
const offerEveryMs = 1_000;
const estimateEveryMs = 30_000;
/** What a person may choose, whatever the machine: beyond it is a slip of the hand. */
const idleAfterSecondsMax = 24 * 3_600;

const chosenSchema = v.partial(limitsSchema);
type Chosen = v.InferOutput<typeof chosenSchema>;

export const resourcesService: ServiceFactory<typeof resourcesContract> = (context) => new Resources(context);

class Resources implements Service<typeof resourcesContract> {
  readonly contract = resourcesContract;
  readonly handlers: Service<typeof resourcesContract>['handlers'] = {
    state: { get: () => this.#decideNow().state },
    limits: { update: (change) => this.#updateLimits(change) },
    consent: { replace: ({ donating }) => this.#replaceConsent(donating) },
  };
  #started = false;
  readonly #cancels: Cancel[] = [];
  #consent: boolean | null = null;
  /** Only what the person chose: a default may grow with the machine. */
  #chosen: Chosen = {};
  #openedAt = 0;
  #touchedAt: number | undefined;
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

  constructor(private readonly context: ServiceContext<typeof resourcesContract>) {}

  async start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    const { platform } = this.context;
    this.#openedAt = platform.clock.now();
    await this.#recall();
    if (!this.#started) return;
    this.#cancels.push(
      platform.machine.watch({ input: () => this.#touched(), visible: () => this.#touched() }),
      this.context.watch(executorContract, 'running', ({ running }) => {
        this.#running = running;
        this.#offerSoon();
      }),
      this.context.watch(schedulerContract, 'given', ({ itemsPerSecond }) => {
        this.#itemsPerSecond = itemsPerSecond;
        this.#offerSoon();
      }),
    );
    this.#change();
    void this.#estimate();
  }

  stop(): void {
    if (!this.#started) return;
    this.#started = false;
    for (const cancel of this.#cancels.splice(0)) cancel();
    for (const timer of [this.#timer, this.#offerTimer, this.#estimateTimer]) timer?.();
    this.#timer = this.#offerTimer = this.#estimateTimer = undefined;
  }

  async #recall(): Promise<void> {
    const { storage } = this.context.platform;
    const [consent, limits] = await Promise.all([storage.get('meta', consentKey), storage.get('meta', limitsKey)]);
    this.#consent = consent.ok && typeof consent.value === 'boolean' ? consent.value : null;
    const parsed = v.safeParse(chosenSchema, limits.ok ? (limits.value ?? {}) : {});
    if (parsed.success) this.#chosen = parsed.output;
  }

  /** Input, or the tab was shown or hidden. Runs inside the browser's event: the stop of the workers hangs on it. */
  #touched(): void {
    this.#touchedAt = this.context.platform.clock.now();
    // A thousand moves of a pointer in a second: the timer that is set looks again when it is due.
    if (this.#published?.state === 'in use') return;
    this.#change();
  }

  #limits(): Limits {
    return { ...defaultLimits(this.context.platform.machine.cores), ...defined(this.#chosen) };
  }

  #decideNow(): Decision {
    const { clock, machine, profileRole } = this.context.platform;
    return decide({
      consent: this.#consent,
      secondTab: profileRole === 'second',
      visible: machine.visible(),
      quietMs: clock.now() - (this.#touchedAt ?? this.#openedAt),
      touched: this.#touchedAt !== undefined,
      limits: this.#limits(),
      coresOfMachine: machine.cores,
    });
  }

  /** Decides, publishes in the same turn, and sets the next look. */
  #change(): ResourceState {
    const { state, againInMs } = this.#decideNow();
    this.#timer?.();
    this.#timer = undefined;
    if (!this.#started) return state;
    this.#published = state;
    this.context.publish('state', state);
    if (againInMs !== null) this.#timer = this.context.platform.clock.after(againInMs, () => this.#change());
    this.#offerSoon();
    return state;
  }

  async #updateLimits(change: Chosen): Promise<ResourceState> {
    const merged = { ...this.#chosen, ...defined(change) };
    const parsed = v.safeParse(chosenSchema, merged);
    if (!parsed.success) throw new FaultError('malformed', `These limits do not fit: ${parsed.issues[0].message}`);
    if ((parsed.output.idleAfterSeconds ?? 0) > idleAfterSecondsMax) throw new FaultError('malformed', 'The quiet time is a day at most.');
    this.#chosen = parsed.output;
    const state = this.#change();
    await this.#remember(limitsKey, parsed.output);
    return state;
  }

  async #replaceConsent(donating: boolean): Promise<ResourceState> {
    if (donating && this.context.platform.profileRole === 'second') {
      throw new FaultError('refused', 'Another tab of this browser speaks for it: start donating there.');
    }
    this.#consent = donating;
    const state = this.#change();
    await this.#remember(consentKey, donating);
    return state;
  }

  /** It counts now in any case; where it cannot be kept the person is asked again next time. */
  async #remember(key: string, value: unknown): Promise<void> {
    const { platform } = this.context;
    const outcome = await platform.storage.write([{ table: 'meta', key, value }]);
    if (!outcome.ok) platform.report('warning', `the choice could not be kept: ${outcome.fault.message}`);
  }

  #offer(): Offer {
    const { machine, storage } = this.context.platform;
    return offerOf({
      resources: this.#published ?? this.#decideNow().state,
      memoryMiB: machine.memoryMiB,
      durable: storage.durable,
      usedBytes: this.#usedBytes,
      quotaBytes: this.#quotaBytes,
      running: this.#running,
      itemsPerSecond: this.#itemsPerSecond,
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
    this.#offerSoon();
    this.#estimateTimer = this.context.platform.clock.after(estimateEveryMs, () => void this.#estimate());
  }
}

/** Without the entries that are undefined: a spread of them would undo what was chosen. */
function defined(chosen: Chosen): Partial<Limits> {
  return Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined));
}
