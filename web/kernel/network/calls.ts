// Requests and their answers with every other peer, over whatever carries frames: a link of one's own, or one hop. Deadlines are
// kept on both sides, everything under way is bounded, and what comes too late is dropped.
import type { Caller } from '../dispatcher.ts';
import type { IdentityId, PeerId } from '../lib/ids.ts';
import { failure, success, type Fault } from '../lib/outcome.ts';
import { callTimeoutMsMax, relayedRequestsPerPeerMax, requestsPerLinkMax } from '../limits.ts';
import type { Cancel, Platform } from '../platform.ts';
import type { CallFrame, RequestFrame } from '../protocol/frame.ts';
import type { Message, Reply } from '../protocol/message.ts';
import type { Self } from '../service.ts';
import { isServiceName, makeUri, pathOf, type Uri } from '../protocol/uri.ts';
import { whileMoving } from './while-moving.ts';

/** What was given to a carrier. */
export interface Carriage {
  /** Nothing more of it needs to be sent. May be called at any time, also when all is sent. */
  cancel(): void;
}

/** Brings call frames to one peer. */
export interface Carrier {
  readonly peer: PeerId;
  readonly identity: IdentityId;
  /** The binding's name, for the header. */
  readonly binding: string;
  readonly relayed: boolean;
  /** Bytes of buffers, anybody's, that were given to the link, that have left this tab, and that have come. */
  readonly moved: Moved;
  /**
   * Sends a frame and its buffers, by reference. `failed` is called at most once, also during the call, where it cannot be
   * brought: 'too-large', 'overloaded', 'unreachable', 'malformed' (the body cannot be written). `done` is called when the last
   * of its buffers was sent; it is no proof of arrival.
   */
  carry(frame: CallFrame, buffers: readonly Uint8Array[], failed: (fault: Fault) => void, done?: () => void): Carriage;
}

export interface Moved {
  given(): number;
  gone(): number;
  come(): number;
}

/** A frame that has come and whose buffers may still be on their way. */
export interface Incoming {
  arrived(buffers: readonly Uint8Array[]): void;
  /** Its buffers will not come. */
  failed(fault: Fault): void;
  /** Calls `run` when nobody waits for the buffers any more. */
  whenGivenUp(run: () => void): void;
}

interface Pending {
  readonly carrier: Carrier;
  readonly settle: (reply: Reply) => void;
  readonly waitMs: number;
  /** However much moves. */
  readonly endsAt: number;
  readonly late: () => void;
  /** An answer's buffers are on their way: another answer changes nothing. */
  answered: boolean;
  stopWaiting: Cancel;
  sent: Carriage | undefined;
  givenUp: (() => void) | undefined;
}

/** A request from outside, from its frame to its answer's last byte. */
interface Serving {
  readonly carrier: Carrier;
  answered: boolean;
  answer: Carriage | undefined;
  stopWaiting: Cancel;
  givenUp: (() => void) | undefined;
}

const sentenceCharsMax = 1_000;

export class Calls {
  readonly #pending = new Map<number, Pending>();
  readonly #pendingOf = new Map<PeerId, number>();
  readonly #serving = new Map<string, Serving>();
  readonly #servingOf = new Map<PeerId, number>();

  constructor(
    private readonly platform: Platform,
    private readonly self: Self,
    private readonly deliver: (message: Message, from: Caller) => Promise<Reply>,
  ) {}

  /** Never rejects. Faults of its own: 'overloaded', 'too-late', 'unreachable'. */
  request(carrier: Carrier, message: Message, waitMs: number): Promise<Reply> {
    const { header, body } = message;
    const count = this.#pendingOf.get(carrier.peer) ?? 0;
    if (count >= requestsPerLinkMax)
      return Promise.resolve(failure('overloaded', `${count} requests to that tab already wait for an answer.`));
    if (this.#pending.has(header.id)) throw new Error(`the request ${header.id} is already under way`);
    return new Promise((resolve) => {
      const settle = (reply: Reply) => {
        if (!this.#pending.delete(header.id)) return;
        pending.stopWaiting();
        lower(this.#pendingOf, carrier.peer);
        pending.givenUp?.();
        pending.sent?.cancel();
        resolve(reply);
      };
      // The far side has the deadline too: who answers nothing need not be told that nobody waits. Where an answer's buffers are on
      // their way, giving them up says so.
      const late = () => settle(failure('too-late', `No answer within ${Math.round(waitMs)} ms from ${header.to}.`));
      const buffers = header.buffers.map((buffer) => buffer.bytes);
      const moves = sizeOf(buffers) > 0;
      const { clock } = this.platform;
      const gone = new Outgoing(carrier);
      const endsAt = clock.now() + Math.max(waitMs, callTimeoutMsMax);
      const pending: Pending = {
        carrier,
        settle,
        waitMs,
        endsAt,
        late,
        answered: false,
        stopWaiting: moves ? whileMoving(clock, waitMs, endsAt, () => gone.moved(), late) : clock.after(waitMs, late),
        sent: undefined,
        givenUp: undefined,
      };
      this.#pending.set(header.id, pending);
      raise(this.#pendingOf, carrier.peer);
      const frame: RequestFrame = {
        t: 'request',
        id: header.id,
        to: pathOf(header.to),
        from: pathOf(header.from),
        verb: header.verb,
        deadline: Math.max(0, Math.min(waitMs, callTimeoutMsMax)),
        trace: header.trace,
        body,
        buffers: lengthsOf(buffers),
      };
      pending.sent = carrier.carry(
        frame,
        buffers,
        (fault) => settle({ ok: false, fault }),
        () => gone.all(),
      );
      if (!this.#pending.has(header.id)) pending.sent.cancel();
    });
  }

  /** Sends a request that nobody waits for. */
  tell(carrier: Carrier, { header, body }: Message): void {
    const { id, to, from, verb, trace } = header;
    carrier.carry({ t: 'request', id, to: pathOf(to), from: pathOf(from), verb, deadline: 0, trace, body }, [], ignore);
  }

  /** A frame has come from `carrier`'s peer, proven. undefined: it is dealt with, and its buffers are not wanted. */
  begin(frame: CallFrame, carrier: Carrier): Incoming | undefined {
    switch (frame.t) {
      case 'request':
        return this.#beginServing(frame, carrier);
      case 'cancel':
        this.#forget(keyOf(carrier.peer, frame.re));
        return undefined;
      case 'fault':
        this.#pendingFrom(carrier.peer, frame.re)?.settle(failure(frame.code, frame.message.slice(0, sentenceCharsMax)));
        return undefined;
      case 'answer': {
        const pending = this.#pendingFrom(carrier.peer, frame.re);
        if (pending === undefined || pending.answered) return undefined;
        if (hasBuffers(frame)) {
          pending.answered = true;
          pending.stopWaiting();
          pending.stopWaiting = whileMoving(this.platform.clock, pending.waitMs, pending.endsAt, carrier.moved.come, pending.late);
        }
        return {
          arrived: (buffers) => {
            pending.givenUp = undefined;
            pending.settle(success({ body: frame.body, buffers }));
          },
          failed: (fault) => {
            pending.givenUp = undefined;
            pending.settle({ ok: false, fault });
          },
          whenGivenUp: (run) => (pending.givenUp = run),
        };
      }
    }
  }

  /** A request that could not be read, but whose id could. */
  refuse(id: number, carrier: Carrier, fault: Fault): void {
    carrier.carry({ t: 'fault', re: id, code: fault.code, message: fault.message.slice(0, sentenceCharsMax) }, [], ignore);
  }

  /** `gone` says whether a carrier is gone: what waits for it gets 'unreachable' at once. */
  lost(gone: (carrier: Carrier) => boolean): void {
    for (const { carrier, settle } of this.#pending.values()) {
      if (gone(carrier)) settle(failure('unreachable', 'The link closed before the answer came.'));
    }
    for (const [key, { carrier }] of this.#serving) if (gone(carrier)) this.#forget(key);
  }

  /** True while something is under way on `carrier`. */
  uses(carrier: Carrier): boolean {
    return [...this.#pending.values(), ...this.#serving.values()].some((call) => call.carrier === carrier);
  }

  #pendingFrom(peer: PeerId, id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    return pending?.carrier.peer === peer ? pending : undefined;
  }

  #beginServing(frame: RequestFrame, carrier: Carrier): Incoming | undefined {
    const key = keyOf(carrier.peer, frame.id);
    const count = this.#servingOf.get(carrier.peer) ?? 0;
    const refuse = (fault: Fault) => this.refuse(frame.id, carrier, fault);
    if (this.#serving.has(key)) return undefined;
    if (count >= (carrier.relayed ? relayedRequestsPerPeerMax : requestsPerLinkMax)) {
      refuse({ code: 'overloaded', message: 'That tab already has as many requests of this one as it takes.' });
      return undefined;
    }
    if (!isServiceName(frame.from)) {
      refuse({ code: 'malformed', message: 'The header names no sender.' });
      return undefined;
    }
    if (frame.deadline === 0) return this.#beginTold(frame, carrier);
    const { clock } = this.platform;
    // Past the deadline nobody waits: neither for the handler nor for the rest of an answer's buffers.
    const late = () => {
      if (!serving.answered) refuse({ code: 'too-late', message: 'That tab did not answer before the deadline.' });
      this.#forget(key);
    };
    const some = hasBuffers(frame);
    const endsAt = clock.now() + Math.max(frame.deadline, callTimeoutMsMax);
    const serving: Serving = {
      carrier,
      answered: false,
      answer: undefined,
      givenUp: undefined,
      stopWaiting: some ? whileMoving(clock, frame.deadline, endsAt, carrier.moved.come, late) : clock.after(frame.deadline, late),
    };
    this.#serving.set(key, serving);
    raise(this.#servingOf, carrier.peer);
    return {
      arrived: (buffers) => {
        serving.givenUp = undefined;
        if (this.#serving.get(key) !== serving) return;
        if (some) {
          serving.stopWaiting();
          serving.stopWaiting = clock.after(frame.deadline, late);
        }
        void this.#serve(key, serving, frame, buffers, endsAt, late);
      },
      failed: (fault) => {
        serving.givenUp = undefined;
        if (this.#serving.get(key) !== serving) return;
        this.#forget(key);
        refuse(fault);
      },
      whenGivenUp: (run) => (serving.givenUp = run),
    };
  }

  /** Nobody waits for an answer: none is sent, not even a fault. Counts among the peer's requests for as long as it is dealt with. */
  #beginTold(frame: RequestFrame, carrier: Carrier): Incoming {
    raise(this.#servingOf, carrier.peer);
    const finished = () => lower(this.#servingOf, carrier.peer);
    return {
      arrived: (buffers) => void this.#deliver(frame, carrier, buffers, 0).then(finished),
      failed: finished,
      whenGivenUp: ignore,
    };
  }

  async #deliver(frame: RequestFrame, carrier: Carrier, buffers: readonly Uint8Array[], leftMs: number): Promise<Reply> {
    const message: Message = {
      header: {
        id: frame.id,
        to: this.#uri(this.self.peer, frame.to),
        from: this.#uri(carrier.peer, frame.from),
        verb: frame.verb,
        binding: carrier.binding,
        buffers: buffers.map((bytes, index) => ({ index, length: bytes.length, bytes })),
        deadline: leftMs,
        trace: frame.trace,
      },
      body: frame.body,
    };
    try {
      return await this.deliver(message, { peer: carrier.peer, identity: carrier.identity, local: false });
    } catch (error) {
      this.platform.report('bug', 'delivering a message threw', error);
      return failure('internal', 'That tab has a bug.');
    }
  }

  async #serve(
    key: string,
    serving: Serving,
    frame: RequestFrame,
    buffers: readonly Uint8Array[],
    endsAt: number,
    late: () => void,
  ): Promise<void> {
    const { carrier } = serving;
    const reply = await this.#deliver(frame, carrier, buffers, frame.deadline);
    if (this.#serving.get(key) !== serving) return;
    serving.answered = true;
    if (!reply.ok) {
      this.#forget(key);
      return this.refuse(frame.id, carrier, reply.fault);
    }
    const answer = reply.value.buffers;
    const some = sizeOf(answer) > 0;
    if (some) {
      serving.stopWaiting();
      serving.stopWaiting = whileMoving(this.platform.clock, frame.deadline, endsAt, carrier.moved.gone, late);
    }
    const failed = this.#unanswered(key, frame.id, carrier);
    const done = () => {
      serving.answer = undefined;
      this.#forget(key);
    };
    const carriage = carrier.carry({ t: 'answer', re: frame.id, body: reply.value.body, buffers: lengthsOf(answer) }, answer, failed, done);
    // Buffers may be stopped by the deadline or a cancel; without any there is nothing to stop.
    if (some) serving.answer = carriage;
    else this.#forget(key);
  }

  #uri(peer: PeerId, path: string): Uri {
    return makeUri(this.self.group(), peer, path);
  }

  /** On its own, because it is kept for as long as the answer may fail: it must hold nothing else of the call. */
  #unanswered(key: string, id: number, carrier: Carrier): (fault: Fault) => void {
    return (fault) => {
      this.#forget(key);
      if (fault.code !== 'unreachable') this.refuse(id, carrier, fault);
    };
  }

  #forget(key: string): void {
    const serving = this.#serving.get(key);
    if (serving === undefined) return;
    this.#serving.delete(key);
    lower(this.#servingOf, serving.carrier.peer);
    serving.stopWaiting();
    serving.givenUp?.();
    serving.answer?.cancel();
  }
}

/** A request's own buffers: once all of them have left the tab, what else moves there is no sign of an answer. */
class Outgoing {
  #until = Infinity;

  constructor(private readonly carrier: Carrier) {}

  moved(): number {
    return Math.min(this.#until, this.carrier.moved.gone());
  }

  /** The last of them was given to the link. */
  all(): void {
    this.#until = this.carrier.moved.given();
  }
}

const hasBuffers = ({ buffers = [] }: { readonly buffers?: readonly number[] | undefined }) => buffers.some((length) => length > 0);
const keyOf = (peer: PeerId, id: number) => `${peer} ${id}`;
const ignore = () => undefined;
/** undefined, and so not on the wire, where there are none. */
export const lengthsOf = (buffers: readonly Uint8Array[]) => (buffers.length === 0 ? undefined : buffers.map((buffer) => buffer.length));
export const sizeOf = (buffers: readonly Uint8Array[]) => buffers.reduce((sum, buffer) => sum + buffer.length, 0);

function raise(counts: Map<PeerId, number>, peer: PeerId): void {
  counts.set(peer, (counts.get(peer) ?? 0) + 1);
}

function lower(counts: Map<PeerId, number>, peer: PeerId): void {
  const left = (counts.get(peer) ?? 1) - 1;
  if (left <= 0) counts.delete(peer);
  else counts.set(peer, left);
}
