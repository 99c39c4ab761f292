// What a service is, and what it is given. Services reach each other only through `ask` and `watch`.
import type { GroupId, IdentityId, PeerId } from './lib/ids.ts';
import type { Outcome } from './lib/outcome.ts';
import type { Cancel, Platform } from './platform.ts';
import type { Contract, PublicationOf, ReplyOf, RequestOf } from './protocol/contract.ts';
import type { Answer, Verb } from './protocol/message.ts';

export interface Call {
  readonly from: PeerId;
  readonly identity: IdentityId;
  /** True where the caller is in this tab. */
  readonly local: boolean;
  /** What follows the resource in the URI. */
  readonly path: readonly string[];
  readonly buffers: readonly Uint8Array[];
  readonly trace: string;
}

/** A handler answers with the reply's body, or with body and buffers; it throws FaultError to refuse. */
export class WithBuffers<T> {
  constructor(
    readonly body: T,
    readonly buffers: readonly Uint8Array[],
  ) {}
}
type MaybePromise<T> = T | Promise<T>;

export type Handlers<C extends Contract> = {
  readonly [R in keyof C['resources']]: {
    readonly [V in keyof C['resources'][R]]: (
      request: RequestOf<C, R, V>,
      call: Call,
    ) => MaybePromise<ReplyOf<C, R, V> | WithBuffers<ReplyOf<C, R, V>>>;
  };
};

export interface AskOptions {
  /** Whom to ask; this tab when absent or 'self'. 'group' is any member that offers the service, this tab first. */
  readonly peer?: PeerId | 'self' | 'group';
  readonly buffers?: readonly Uint8Array[];
  /** Default `callTimeoutMs`. */
  readonly timeoutMs?: number;
  readonly path?: readonly string[];
  readonly trace?: string;
}

export interface Self {
  readonly peer: PeerId;
  readonly identity: IdentityId;
  /** The network's name: 'public' unless an invite was followed. */
  readonly network: string;
  /** Changes when the directory places the tab; a lone tab is a group of its own. */
  group(): GroupId;
}

export interface Bus {
  readonly self: Self;
  /** Never rejects. */
  ask<C extends Contract, R extends keyof C['resources'] & string, V extends keyof C['resources'][R] & Verb>(
    contract: C,
    resource: R,
    verb: V,
    request: RequestOf<C, R, V>,
    options?: AskOptions,
  ): Promise<Outcome<Answer<ReplyOf<C, R, V>>>>;
  /**
   * Says something to another tab that needs no answer: none is sent, nothing waits, and nobody learns whether it came. It goes where there
   * is a link or a hop, and nowhere else. For advice and news that something else makes up for when they are lost.
   */
  tell<C extends Contract, R extends keyof C['resources'] & string, V extends keyof C['resources'][R] & Verb>(
    contract: C,
    resource: R,
    verb: V,
    request: RequestOf<C, R, V>,
    peer: PeerId,
  ): void;
  /** Subscribes until cancelled; the first call carries the latest publication. Listeners are called asynchronously. */
  watch<C extends Contract, P extends keyof C['publishes'] & string>(
    contract: C,
    publication: P,
    listener: (body: PublicationOf<C, P>) => void,
    options?: { readonly peer?: PeerId },
  ): Cancel;
}

export interface ServiceContext<C extends Contract> extends Bus {
  readonly platform: Platform;
  publish<P extends keyof C['publishes'] & string>(publication: P, body: PublicationOf<C, P>): void;
}

/** A part of the kernel behind a URI. `start` and `stop` may be called twice; after `stop` no timer of it runs. */
export interface Service<C extends Contract = Contract> {
  readonly contract: C;
  readonly handlers: Handlers<C>;
  start(): Promise<void> | void;
  stop(): Promise<void> | void;
}

/** Makes the service over its context; constructing must not yet act. */
export type ServiceFactory<C extends Contract> = (context: ServiceContext<C>) => Service<C>;
