// Takes a message to where its URI says: a local listener gets the object itself, anything else goes to the network manager.
// Unknown URI, refused permission, missed deadline, overload and a bug in a handler are typed replies, never silence.
import * as v from 'valibot';
import { hexOf } from './lib/bytes.ts';
import type { IdentityId, PeerId } from './lib/ids.ts';
import { failure, FaultError, success, type Outcome } from './lib/outcome.ts';
import { parse } from './lib/parse.ts';
import { bufferBytesMax, buffersPerMessageMax, callTimeoutMs } from './limits.ts';
import type { Cancel, Platform } from './platform.ts';
import type { Contract, Operation } from './protocol/contract.ts';
import type { Answer, Message, Reply, Verb } from './protocol/message.ts';
import { makeUri, parseUri } from './protocol/uri.ts';
import type { SecurityManager } from './security-manager.ts';
import { WithBuffers, type AskOptions, type Bus, type Call, type Self, type Service, type ServiceContext } from './service.ts';
import { UriManager, type Registration } from './uri-manager.ts';

export interface Caller {
  readonly peer: PeerId;
  readonly identity: IdentityId;
  readonly local: boolean;
  /** The kernel itself: only it may register under its own names. Set nowhere but in the dispatcher. */
  readonly kernel?: true;
}

/** Takes the messages of one port. Never rejects. */
export type Listener = (message: Message, from: Caller, path: readonly string[]) => Promise<Reply>;

/** The network manager as the dispatcher sees it. */
export interface Remote {
  /** Never rejects; keeps the header's deadline. Where that is 0 nobody waits: it is sent where there is a way now, and no answer comes. */
  send(peer: PeerId, message: Message): Promise<Reply>;
  /** Some live member, for `lull://<group>/group/...`. */
  anyPeer(): PeerId | undefined;
}

export const pendingPerServiceMax = 4_096;
/** Of one publication: all together, and by one other tab. */
export const subscriptionsMax = 1_024;
export const subscriptionsPerPeerMax = 64;

interface Topic {
  latest: { body: unknown } | undefined;
  readonly subscribers: Map<string, (body: unknown) => void>;
}

export class Dispatcher {
  readonly uris: UriManager;
  readonly #local: Caller;
  readonly #topics = new Map<string, Topic>();
  readonly #contracts = new Map<string, Contract>();
  readonly #pending = new Map<string, number>();
  /** Listeners of this tab's own remote subscriptions, by the number in the notify URI. */
  readonly #notified = new Map<string, { from: PeerId; schema: v.GenericSchema; listen: (body: unknown) => void; subscribe: () => void }>();
  #remote: Remote | undefined;
  #nextId = 1;
  /** Half of a trace; the rest is a number. */
  readonly #traces: string;

  constructor(
    private readonly platform: Platform,
    private readonly security: SecurityManager,
    readonly self: Self,
  ) {
    this.uris = new UriManager(security);
    this.#local = { peer: self.peer, identity: self.identity, local: true };
    this.#traces = hexOf(platform.random.bytes(4));
  }

  connect(remote: Remote | undefined): void {
    this.#remote = remote;
  }

  /** A link to `peer` has opened: it may have dropped this tab's subscriptions while there was none. */
  resubscribe(peer: PeerId): void {
    for (const { from, subscribe } of this.#notified.values()) if (from === peer) subscribe();
  }

  /** What a service is given. */
  context<C extends Contract>(contract: C): ServiceContext<C> {
    return this.contextOf(contract.name);
  }

  /** The same by name, for whoever has a factory and not yet its contract. */
  contextOf<C extends Contract>(name: string): ServiceContext<C> {
    return {
      ...this.bus(name),
      platform: this.platform,
      publish: (publication, body) => this.#publish(`${name}/${publication}`, body),
    };
  }

  /** Registers `service` under its contract's name. */
  register(service: Service): Outcome<Registration> {
    return this.#register(service, this.#local);
  }

  /** Registers a service of the kernel's own, whose name no other service can take. */
  registerOwn(service: Service): Outcome<Registration> {
    return this.#register(service, { ...this.#local, kernel: true });
  }

  #register(service: Service, by: Caller): Outcome<Registration> {
    const { name } = service.contract;
    const outcome = this.uris.register(by, name, (message, from, path) => this.#serve(service, message, from, path));
    if (outcome.ok) this.#contracts.set(name, service.contract);
    return outcome;
  }

  bus(from: string): Bus {
    return {
      self: this.self,
      ask: async (contract, resource, verb, request, options = {}) => {
        const reply = await this.#ask(from, contract, resource, verb, request, options);
        return reply as Outcome<Answer<never>>;
      },
      tell: (contract, resource, verb, request, peer) => {
        const message = this.#message(from, peer, contract.name, resource, verb, request, 0);
        if (peer === this.self.peer) void this.#deliver(contract.name, [resource], message, this.#local);
        else void this.#remote?.send(peer, message);
      },
      watch: (contract, publication, listener, options) =>
        this.#watch(from, contract, publication, listener as (body: unknown) => void, options?.peer),
    };
  }

  /** An inbound message of the network manager, its buffers resolved. Never rejects. */
  async receive(message: Message, from: Caller): Promise<Reply> {
    const to = parseUri(message.header.to);
    if (to === undefined) return failure('malformed', 'That is not a lull: URI.');
    if (to.peer !== this.self.peer && to.peer !== 'group') return failure('unknown-uri', 'The message is for another peer.');
    if (to.service === 'notify') return this.#notify(to.path[0] ?? '', message.body, from);
    return this.#deliver(to.service, to.path, message, from);
  }

  async #ask(from: string, contract: Contract, resource: string, verb: Verb, request: unknown, options: AskOptions): Promise<Reply> {
    const peer = this.#resolvePeer(options.peer ?? 'self', contract.name);
    if (peer === undefined) return failure('unreachable', `Nobody within reach offers "${contract.name}".`);
    const timeoutMs = options.timeoutMs ?? callTimeoutMs;
    const buffers = options.buffers ?? [];
    if (buffers.length > buffersPerMessageMax) return failure('too-large', `At most ${buffersPerMessageMax} buffers go with one message.`);
    if (buffers.some((buffer) => buffer.length > bufferBytesMax))
      return failure('too-large', `A buffer may have at most ${bufferBytesMax} bytes.`);
    const message = this.#message(from, peer, contract.name, resource, verb, request, timeoutMs, options);
    if (peer === this.self.peer) {
      return this.#withDeadline(
        this.#deliver(contract.name, [resource, ...(options.path ?? [])], message, this.#local),
        timeoutMs,
        message.header.to,
      );
    }
    if (this.#remote === undefined) return failure('unreachable', 'This tab runs alone: no network binding is loaded.');
    const reply = await this.#remote.send(peer, message);
    if (!reply.ok) return reply;
    const operation = operationOf(contract, resource, verb);
    if (operation === undefined) return failure('unknown-uri', `${contract.name} has no ${verb} of ${resource}.`);
    const parsed = parse(operation.reply, reply.value.body);
    return parsed.success
      ? success({ body: parsed.output, buffers: reply.value.buffers })
      : failure('malformed', `The answer of ${contract.name} does not fit: ${parsed.message}`);
  }

  #message(
    from: string,
    peer: PeerId,
    service: string,
    resource: string,
    verb: Verb,
    body: unknown,
    deadline: number,
    { path = [], buffers = [], trace }: AskOptions = {},
  ): Message {
    const group = this.self.group();
    return {
      header: {
        id: this.#nextId++,
        to: makeUri(group, peer, service, resource, ...path),
        from: makeUri(group, this.self.peer, from),
        verb,
        binding: 'local',
        buffers: buffers.map((bytes, index) => ({ index, length: bytes.length, bytes })),
        deadline,
        trace: trace ?? this.#trace(),
      },
      body,
    };
  }

  /** Told apart by whose it is and which, not guessed by nobody: random bytes for each message would be most of its header's cost. */
  #trace(): string {
    return this.#traces + (this.#nextId >>> 0).toString(16).padStart(8, '0');
  }

  #resolvePeer(peer: PeerId | 'self' | 'group', service: string): PeerId | undefined {
    if (peer === 'self') return this.self.peer;
    if (peer !== 'group') return peer;
    return this.uris.resolve(service) === undefined ? this.#remote?.anyPeer() : this.self.peer;
  }

  #withDeadline(work: Promise<Reply>, timeoutMs: number, what: string): Promise<Reply> {
    return new Promise((resolve) => {
      const cancel = this.platform.clock.after(timeoutMs, () =>
        resolve(failure('too-late', `No answer within ${timeoutMs} ms from ${what}.`)),
      );
      void work.then((reply) => {
        cancel();
        resolve(reply);
      });
    });
  }

  async #deliver(service: string, path: readonly string[], message: Message, from: Caller): Promise<Reply> {
    const listener = this.uris.resolve(service);
    if (listener === undefined) return failure('unknown-uri', `Nothing here is called "${service}".`);
    if (message.header.verb === 'subscribe' || message.header.verb === 'unsubscribe') {
      return this.#subscribeRemote(service, path[0] ?? '', message, from);
    }
    const pending = this.#pending.get(service) ?? 0;
    if (pending >= pendingPerServiceMax) return failure('overloaded', `"${service}" already has ${pending} messages to answer.`);
    this.#pending.set(service, pending + 1);
    try {
      return await listener(message, from, path);
    } finally {
      this.#pending.set(service, (this.#pending.get(service) ?? 1) - 1);
    }
  }

  async #serve(service: Service, message: Message, from: Caller, path: readonly string[]): Promise<Reply> {
    const { contract } = service;
    const { verb, buffers, trace } = message.header;
    const [resource = '', ...rest] = path;
    const operation = operationOf(contract, resource, verb);
    if (operation === undefined) return failure('unknown-uri', `"${contract.name}" has no ${verb} of "${resource}".`);
    const approval = this.security.approveMessage(from, operation.access);
    if (!approval.ok) return approval;
    let body = message.body;
    if (!from.local) {
      // The edge: past here the body's type is trusted.
      const parsed = parse(operation.request, body);
      if (!parsed.success) return failure('malformed', `The request does not fit: ${parsed.message}`);
      body = parsed.output;
    }
    const { peer, identity, local } = from;
    const call: Call = { from: peer, identity, local, path: rest, buffers: buffers.map((buffer) => buffer.bytes), trace };
    try {
      const handler = (service.handlers as Record<string, Record<string, (request: unknown, call: Call) => unknown>>)[resource]?.[verb];
      if (handler === undefined) return failure('unknown-uri', `"${contract.name}" does not serve ${verb} of "${resource}".`);
      const answer = await handler(body, call);
      return success(answer instanceof WithBuffers ? { body: answer.body, buffers: answer.buffers } : { body: answer, buffers: [] });
    } catch (error) {
      if (error instanceof FaultError) return failure(error.code, error.message);
      this.platform.report('bug', `${contract.name}: ${verb} ${resource} threw`, error);
      return failure('internal', `"${contract.name}" has a bug: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #topic(key: string): Topic {
    let topic = this.#topics.get(key);
    if (topic === undefined) {
      topic = { latest: undefined, subscribers: new Map() };
      this.#topics.set(key, topic);
    }
    return topic;
  }

  #publish(key: string, body: unknown): void {
    const topic = this.#topic(key);
    topic.latest = { body };
    for (const listen of topic.subscribers.values()) this.#tell(listen, body);
  }

  /** Asynchronously, so that a publisher never runs inside a subscriber's reaction; a microtask, so that a stop is not late. */
  #tell(listen: (body: unknown) => void, body: unknown): void {
    void Promise.resolve()
      .then(() => listen(body))
      .catch((error: unknown) => this.platform.report('bug', 'a subscriber threw', error));
  }

  #watch(from: string, contract: Contract, publication: string, listen: (body: unknown) => void, peer: PeerId | undefined): Cancel {
    const id = `${this.self.peer}/${this.#nextId++}`;
    let live = true;
    const listenWhileLive = (body: unknown) => {
      if (live) listen(body);
    };
    if (peer === undefined || peer === this.self.peer) {
      const topic = this.#topic(`${contract.name}/${publication}`);
      topic.subscribers.set(id, listenWhileLive);
      if (topic.latest !== undefined) this.#tell(listenWhileLive, topic.latest.body);
      return () => {
        live = false;
        topic.subscribers.delete(id);
      };
    }
    const schema = contract.publishes[publication];
    if (schema === undefined) throw new TypeError(`${contract.name} publishes no ${publication}`);
    const key = id.slice(id.indexOf('/') + 1);
    const send = (verb: 'subscribe' | 'unsubscribe') => {
      return this.#remote?.send(peer, this.#message(from, peer, contract.name, publication, verb, { notify: key }, callTimeoutMs));
    };
    const subscribe = () => void send('subscribe');
    this.#notified.set(key, { from: peer, schema, listen: listenWhileLive, subscribe });
    subscribe();
    return () => {
      live = false;
      this.#notified.delete(key);
      void send('unsubscribe');
    };
  }

  #subscribeRemote(service: string, publication: string, message: Message, from: Caller): Reply {
    const approval = this.security.approveMessage(from, 'member');
    if (!approval.ok) return approval;
    if (this.#contracts.get(service)?.publishes[publication] === undefined)
      return failure('unknown-uri', `"${service}" publishes no "${publication}".`);
    const parsed = parse(subscribeBody, message.body);
    if (!parsed.success) return failure('malformed', 'A subscription names where to notify.');
    const topic = this.#topic(`${service}/${publication}`);
    const id = `${from.peer}/${parsed.output.notify}`;
    if (message.header.verb === 'unsubscribe') {
      topic.subscribers.delete(id);
      return success({ body: {}, buffers: [] });
    }
    if (!topic.subscribers.has(id)) {
      const own = [...topic.subscribers.keys()].filter((other) => other.startsWith(`${from.peer}/`)).length;
      if (own >= subscriptionsPerPeerMax || topic.subscribers.size >= subscriptionsMax)
        return failure('overloaded', 'Too many subscriptions.');
    }
    const push = (body: unknown) => {
      const { notify } = parsed.output;
      const { trace } = message.header;
      const pushed = this.#message(service, from.peer, 'notify', notify, 'update', body, callTimeoutMs, { trace });
      void this.#remote?.send(from.peer, pushed).then((reply) => {
        // A subscriber that left, or no longer knows the subscription, is dropped.
        if (!reply.ok && (reply.fault.code === 'unreachable' || reply.fault.code === 'unknown-uri')) topic.subscribers.delete(id);
      });
    };
    topic.subscribers.set(id, push);
    if (topic.latest !== undefined) push(topic.latest.body);
    return success({ body: {}, buffers: [] });
  }

  #notify(key: string, body: unknown, from: Caller): Reply {
    const subscription = this.#notified.get(key);
    if (subscription === undefined || subscription.from !== from.peer) return failure('unknown-uri', 'No such subscription.');
    const parsed = parse(subscription.schema, body);
    if (!parsed.success) return failure('malformed', 'The publication does not fit.');
    this.#tell(subscription.listen, parsed.output);
    return success({ body: {}, buffers: [] });
  }
}

const subscribeBody = v.strictObject({ notify: v.pipe(v.string(), v.regex(/^[0-9]{1,16}$/)) });

function operationOf(contract: Contract, resource: string, verb: Verb): Operation | undefined {
  if (!Object.hasOwn(contract.resources, resource)) return undefined;
  const operations = contract.resources[resource];
  return operations !== undefined && Object.hasOwn(operations, verb) ? operations[verb] : undefined;
}
