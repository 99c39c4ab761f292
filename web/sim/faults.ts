// Brings the faults of a plan upon the world, and ends them.
import { unreachable } from '../kernel/lib/unreachable.ts';
import { Draw } from './draw.ts';
import { hoard } from './hoarder.ts';
import type { Fault } from './plan.ts';
import type { TabLink } from './tab-transport.ts';
import { setJob, type SimJob } from './work.ts';
import type { Tab, World } from './world.ts';

const mutedNoticeMs = 6_000;
const reloadMs = 300;

export class Faults {
  #calm = false;

  constructor(
    private readonly world: World,
    private readonly jobs: readonly SimJob[],
  ) {}

  begin(fault: Fault): void {
    const { world } = this;
    if (this.#calm) return;
    world.note(`fault ${JSON.stringify(fault)}`);
    const tab = 'tab' in fault ? world.tabs[fault.tab]! : undefined;
    switch (fault.kind) {
      case 'crash': {
        if (fault.polite) void world.leave(tab!);
        else world.crash(tab!);
        const { backMs } = fault;
        if (backMs !== null) world.later(backMs, () => void world.start(tab!));
        return;
      }
      case 'twin':
        void world.openTwin(tab!);
        world.later(fault.ms, () => (fault.takesOver && !this.#calm ? void world.takeOver(tab!) : world.closeTwin(tab!)));
        return;
      case 'lost':
        world.crash(tab!);
        tab!.lost = true;
        return;
      case 'freeze':
        this.#freeze(tab!);
        world.later(fault.ms, () => this.#thaw(tab!));
        return;
      case 'nap': {
        const owners = world.live.filter(({ process }) => process!.owns() > 0 && !process!.clock.frozen);
        if (owners.length > 0) this.begin({ kind: 'freeze', tab: owners[fault.which % owners.length]!.number, ms: fault.ms });
        return;
      }
      case 'forget': {
        const holders = world.queueWatch.majorityOfSome(fault.which);
        for (const { store, number } of world.tabs) if (holders.includes(store.store)) void this.#forget(world.tabs[number]!, fault.ms);
        return;
      }
      case 'flip':
        return void world.flip(tab!, fault.which);
      case 'jump':
        tab!.process?.clock.jump(fault.ms);
        return;
      case 'throttle':
        tab!.process?.clock.throttle(true);
        world.later(fault.ms, () => tab!.process?.clock.throttle(false));
        return;
      case 'cut': {
        const [a, b] = world.peersOf([fault.tab, fault.other]);
        if (a === undefined || b === undefined) return;
        world.network.cut(a, b, fault.oneWay ? 'one-way' : 'both');
        world.later(fault.ms, () => world.network.heal(a, b));
        return;
      }
      case 'partition':
        return this.#partition(fault.left, fault.ms, fault.flaps);
      case 'mute': {
        const [far] = world.peersOf([fault.other]);
        if (far === undefined) return;
        const links: TabLink[] = tab!.process?.transport.mute(far) ?? [];
        // The transport notices late, or the browser gives the connection up.
        world.later(Math.max(fault.ms, mutedNoticeMs), () => links.forEach((link) => link.close()));
        return;
      }
      case 'directory':
        this.#signaling(false, fault.forget);
        world.later(fault.ms, () => this.#signaling(true));
        return;
      case 'refuse':
        tab!.faults.refuse = fault.share;
        world.later(fault.ms, () => (tab!.faults.refuse = 0));
        return;
      case 'full':
        tab!.faults.full = true;
        world.later(fault.ms, () => (tab!.faults.full = false));
        return;
      case 'input':
        tab!.process?.input();
        return;
      case 'consent':
        if (!tab!.plan.donates) return;
        void world.consent(tab!, false);
        world.later(fault.ms, () => void world.consent(tab!, true));
        return;
      case 'sandbox':
        if (tab!.process !== undefined) tab!.process.sandboxDies = true;
        return;
      case 'junk': {
        const { process } = tab!;
        if (process === undefined) return;
        process.junk = true;
        world.later(fault.ms, () => (process.junk = false));
        return;
      }
      case 'hoard':
        return void hoard(world, tab!, fault.ms);
      case 'slow': {
        const untilMs = world.clock.now() + fault.ms;
        for (const number of fault.tabs)
          this.#stall(world.tabs[number]!, untilMs, fault.stallMsMax, new Draw(`${world.seed} stalls ${number}`));
        for (const { tab: number, atMs, openMs } of fault.reloads) world.later(atMs, () => this.#reload(world.tabs[number]!, openMs));
        return;
      }
      case 'pause': {
        const job = this.jobs[fault.job]!;
        const set = (paused: boolean) => void setJob(this.#submitterOf(job), job, { paused });
        set(true);
        world.later(fault.ms, () => set(false));
        return;
      }
      case 'cancel': {
        const job = this.jobs[fault.job]!;
        void setJob(this.#submitterOf(job), job, { cancelled: true });
        return;
      }
      default:
        unreachable(fault);
    }
  }

  /** One server is both: the directory, and who introduces tabs to each other. */
  #signaling(up: boolean, forget = false): void {
    const { directory, network } = this.world;
    network.introduce(up);
    if (up) directory.up();
    else directory.down({ forget });
  }

  /** All faults are over: whoever is away comes back, but for those lost for good. */
  async calm(): Promise<void> {
    const { world, jobs } = this;
    this.#calm = true;
    world.note('calm');
    world.network.heal();
    this.#signaling(true);
    for (const tab of world.tabs) {
      world.closeTwin(tab);
      tab.faults.refuse = 0;
      tab.faults.full = false;
      this.#thaw(tab);
      if (tab.process !== undefined) {
        tab.process.clock.throttle(false);
        tab.process.sandboxDies = false;
        tab.process.junk = false;
      }
    }
    await Promise.all(world.tabs.map((tab) => world.openLate(tab)));
    // A tab may still be saying good-bye, or may not have started for its store's refusing.
    for (const tab of world.tabs) {
      while (!tab.lost && (tab.process === undefined || tab.process.leaving)) {
        await world.start(tab);
        await new Promise<void>((resolve) => world.later(100, resolve));
      }
    }
    await Promise.all(world.tabs.map((tab) => world.consent(tab, tab.plan.donates)));
    // Whoever paused a job looks at it again, and whoever cancelled one in a tab that was just dying.
    await Promise.all(jobs.map((job) => setJob(this.#submitterOf(job), job, job.cancelAsked ? { cancelled: true } : { paused: false })));
  }

  /** The tab's database of records was damaged and begun anew. */
  async #forget(tab: Tab, backMs: number): Promise<void> {
    if (tab.lost) return;
    this.world.crash(tab);
    await this.world.forgetRecords(tab);
    this.world.later(backMs, () => void this.world.start(tab));
  }

  #submitterOf(job: SimJob): Tab {
    return this.world.tabs[job.plan.submitter]!;
  }

  #freeze({ process }: Tab): void {
    if (process === undefined) return;
    process.clock.freeze();
    this.world.network.freeze(process.kernel.self.peer);
  }

  /** Stands still, runs for a moment, and again, until `untilMs`. */
  #stall(tab: Tab, untilMs: number, stallMsMax: number, draw: Draw): void {
    const { world } = this;
    if (this.#calm || world.clock.now() >= untilMs) return;
    this.#freeze(tab);
    world.later(draw.int(Math.min(300, stallMsMax), stallMsMax), () => {
      this.#thaw(tab);
      world.later(draw.int(20, 300), () => this.#stall(tab, untilMs, stallMsMax, draw));
    });
  }

  #reload(tab: Tab, openMs: number): void {
    if (this.#calm || tab.process === undefined) return;
    this.world.crash(tab);
    this.world.later(reloadMs, () => void this.world.start(tab, openMs));
  }

  #thaw(tab: Tab): void {
    if (tab.process?.clock.frozen !== true) return;
    this.world.network.thaw(tab.process.kernel.self.peer);
    tab.process.clock.thaw();
  }

  #partition(left: readonly number[], ms: number, flaps: number): void {
    const { world } = this;
    if (this.#calm) return;
    const right = world.tabs.map(({ number }) => number).filter((number) => !left.includes(number));
    const [leftPeers, rightPeers] = [world.peersOf(left), world.peersOf(right)];
    world.network.partition(leftPeers, rightPeers);
    world.later(ms / flaps, () => {
      for (const a of leftPeers) for (const b of rightPeers) world.network.heal(a, b);
      if (flaps > 1) world.later(ms / flaps, () => this.#partition(left, (ms / flaps) * (flaps - 1), flaps - 1));
    });
  }
}
