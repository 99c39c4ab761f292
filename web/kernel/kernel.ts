// One tab's kernel: brings up what the boot document lists, in its order, and takes it down in the reverse.
import { hexOf } from './lib/bytes.ts';
import { groupId, identityId, isHex64, makePeerId, type GroupId } from './lib/ids.ts';
import { networkIdOf } from './lib/network-key.ts';
import { failure, success, type Outcome } from './lib/outcome.ts';
import { Dispatcher } from './dispatcher.ts';
import { serviceStartMsMax, serviceStopMsMax } from './limits.ts';
import { parseBootDocument, type BootPlan } from './loader.ts';
import type { Binding } from './network/binding.ts';
import { msgpackBinding } from './network/binding-msgpack.ts';
import { Introductions } from './network/introductions.ts';
import { NetworkManager } from './network/network-manager.ts';
import { networkService } from './network/network-service.ts';
import type { Cancel, Platform } from './platform.ts';
import { abuseContract } from './protocol/contracts/abuse.ts';
import { networkContract } from './protocol/contracts/network.ts';
import { SecurityManager } from './security-manager.ts';
import { serviceCatalogue, type ServiceCatalogue } from './service-catalogue.ts';
import type { Bus, Self, Service } from './service.ts';

export interface KernelOptions {
  /** The text of boot.xml. */
  readonly bootDocument: string;
  /** The network's name: 'public' unless an invite was followed. */
  readonly network: string;
  /** Of a private network, whose name is `networkIdOf` it: what is let in has it too. */
  readonly networkKey?: Uint8Array | undefined;
  readonly catalogue?: ServiceCatalogue;
  /** What a boot document may list; those of tabs where absent. */
  readonly bindings?: readonly Binding[];
}

export interface Kernel {
  readonly bus: Bus;
  readonly self: Self;
  /** The local services that run, in the order they were started. */
  readonly services: readonly string[];
  /** True where no binding was listed: the tab runs alone. */
  readonly local: boolean;
  /** Why this tab reaches nobody though a binding is listed (no WebRTC, say), for a person; null where all is well. */
  networkNotice(): string | null;
  /** Stops all that runs, the last started first. May be called twice. */
  stop(): Promise<void>;
}

/** The driver is the platform's transport, whatever it is made of there. */
const drivers = ['webrtc'];
const bindingsOfTabs: readonly Binding[] = [msgpackBinding];

/** Faults: 'malformed' and 'too-large' for the boot document; the first fault of a service that did not start. Nothing runs then. */
export async function startKernel(platform: Platform, options: KernelOptions): Promise<Outcome<Kernel>> {
  const catalogue = options.catalogue ?? serviceCatalogue;
  const bindings = options.bindings ?? bindingsOfTabs;
  const plan = parseBootDocument(options.bootDocument, {
    drivers,
    bindings: bindings.map(({ name }) => name),
    services: [...catalogue.keys()],
  });
  if (!plan.ok) return plan;
  const { network, networkKey } = options;
  // Under a private network's name a tab without its key would let anybody in.
  const due = networkKey === undefined ? undefined : await networkIdOf(platform.digest.sha256, networkKey);
  if (due === undefined ? isHex64(network) : due !== network) return failure('refused', 'The key is not that of the network.');
  return new Boot(platform, network, networkKey, catalogue, bindings).run(plan.value);
}

class Boot {
  #group: GroupId;
  readonly #self: Self;
  readonly #stops: { readonly what: string; readonly stop: () => Promise<void> | void }[] = [];
  #stopping: Promise<void> | undefined;
  #networkNotice: string | null = null;

  constructor(
    private readonly platform: Platform,
    network: string,
    private readonly networkKey: Uint8Array | undefined,
    private readonly catalogue: ServiceCatalogue,
    private readonly bindings: readonly Binding[],
  ) {
    // Until the directory places it, a tab is a group of its own.
    this.#group = groupId(hexOf(platform.random.bytes(16)));
    const { identity } = platform.signer;
    this.#self = { identity, network, peer: makePeerId(identity, platform.random.bytes(8)), group: () => this.#group };
  }

  async run(plan: BootPlan): Promise<Outcome<Kernel>> {
    const security = new SecurityManager(this.#self.identity);
    const local = plan.bindings.length === 0;
    const dispatcher = new Dispatcher(local ? alone(this.platform) : this.platform, security, this.#self);
    const network = await this.#startNetwork(plan, dispatcher, security);
    if (!network.ok) {
      await this.#stop();
      return network;
    }
    const started: string[] = [];
    for (const name of plan.services) {
      const outcome = await this.#startService(name, dispatcher);
      if (!outcome.ok) {
        await this.#stop();
        return outcome;
      }
      started.push(name);
    }
    const bus = dispatcher.bus('kernel');
    this.#stops.push({ what: 'deny list', stop: shutOutDenied(bus, security) });
    return success({
      bus,
      self: this.#self,
      services: started,
      local,
      networkNotice: () => this.#networkNotice,
      stop: () => this.#stop(),
    });
  }

  /** Loads the network manager; where no binding is listed it is unloaded again, and the tab runs alone. */
  async #startNetwork(plan: BootPlan, dispatcher: Dispatcher, security: SecurityManager): Promise<Outcome<void>> {
    const context = dispatcher.context(networkContract);
    const manager = new NetworkManager({
      platform: this.platform,
      self: this.#self,
      security,
      networkKey: this.networkKey,
      bindings: plan.bindings.map((name) => this.bindings.find((binding) => binding.name === name)!),
      deliver: (message, from) => dispatcher.receive(message, from),
      changed: (links) => context.publish('links', { links: [...links] }),
      linked: (peer) => dispatcher.resubscribe(peer),
      introduced: (peer) => introductions.dial(peer),
    });
    const introductions = new Introductions(context, this.platform.transport, manager);
    if (plan.bindings.length === 0) {
      await manager.stop();
      this.platform.report('info', 'No protocol binding is listed: the network manager was unloaded and this tab runs alone.');
      return success(undefined);
    }
    dispatcher.connect(manager);
    const registered = dispatcher.registerOwn(
      networkService(manager, introductions, this.platform.clock, (group) => (this.#group = group)),
    );
    if (!registered.ok) return registered;
    this.#stops.push({
      what: 'network',
      stop: async () => {
        await manager.stop();
        dispatcher.connect(undefined);
        registered.value.remove();
      },
    });
    // Not waited for: a meeting point that is away is no reason to keep the person from a tab that works alone.
    manager.start().then(
      (up) => {
        if (up.ok) return;
        this.platform.report('warning', `The network driver did not start: ${up.fault.message}`);
        this.#networkNotice = up.fault.message;
      },
      (error: unknown) => this.platform.report('bug', 'the network driver threw', error),
    );
    return success(undefined);
  }

  async #startService(name: string, dispatcher: Dispatcher): Promise<Outcome<void>> {
    let service: Service;
    try {
      const factory = this.catalogue.get(name)!;
      service = factory(dispatcher.contextOf(name));
    } catch (error) {
      this.platform.report('bug', `${name} could not be made`, error);
      return failure('internal', `The service "${name}" could not be made.`);
    }
    const registered = dispatcher.register(service);
    if (!registered.ok) return registered;
    this.#stops.push({
      what: name,
      stop: async () => {
        await service.stop();
        registered.value.remove();
      },
    });
    return this.#within(serviceStartMsMax, `The service "${name}" did not start`, async () => service.start());
  }

  /** Runs `work`; a throw is a bug of ours and is reported, a wait past `ms` is answered 'too-late'. */
  #within(ms: number, what: string, work: () => Promise<void>): Promise<Outcome<void>> {
    return new Promise((resolve) => {
      const cancel = this.platform.clock.after(ms, () => resolve(failure('too-late', `${what} within ${ms / 1_000} s.`)));
      work().then(
        () => {
          cancel();
          resolve(success(undefined));
        },
        (error: unknown) => {
          cancel();
          this.platform.report('bug', what, error);
          resolve(failure('internal', `${what}: ${error instanceof Error ? error.message : String(error)}`));
        },
      );
    });
  }

  #stop(): Promise<void> {
    this.#stopping ??= (async () => {
      for (const { what, stop } of this.#stops.toReversed()) {
        const outcome = await this.#within(serviceStopMsMax, `"${what}" did not stop`, async () => stop());
        if (!outcome.ok) this.platform.report('warning', outcome.fault.message);
      }
    })();
    return this.#stopping;
  }
}

/** Whom the operator of the site has denied takes no part here: no link to them stays, and none comes. */
function shutOutDenied(bus: Bus, security: SecurityManager): Cancel {
  return bus.watch(abuseContract, 'denied', ({ entries }) => {
    security.shutOut(entries.flatMap(({ what, id }) => (what === 'identity' ? [identityId(id)] : [])));
    void bus.ask(networkContract, 'links', 'query', {}).then((reply) => {
      for (const { peer, identity } of reply.ok ? reply.value.body.links : [])
        if (!security.may(identity, 'join')) void bus.ask(networkContract, 'links', 'delete', { peer });
    });
  });
}

const noBinding = failure('unreachable', 'This tab runs alone: no network binding is loaded.');

/** The platform of a tab that runs alone: nothing of it reaches the network. */
function alone(platform: Platform): Platform {
  return {
    ...platform,
    transport: {
      start: () => Promise.resolve(success(undefined)),
      dial: () => Promise.resolve(noBinding),
      introduces: () => false,
      dialThrough: () => Promise.resolve(noBinding),
      answer: () => Promise.resolve(noBinding),
      stop: () => undefined,
    },
    directory: { start: () => undefined, stop: () => undefined },
  };
}
