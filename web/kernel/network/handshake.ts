// Proves who is at the other end of a link. Each side sends its signed hello at once; the signature covers the link's binding
// (both DTLS fingerprints), the role and both addresses, so it cannot be used on another link, by another peer or backwards.
//
//     opened --hello sent--> waiting --far hello--> verifying --> proven
//                               \-- bye, garbage, mismatch, close, timeout --> refused (bye sent, with the reason)
//
// In a private network each hello carries a MAC by the network's key over the same, and whoever was dialled says nothing about itself
// before the dialler has shown that it has the key.
import { equalBytes } from '../lib/bytes.ts';
import { hmacSha256 } from '../lib/hmac.ts';
import { peerBelongsTo, type IdentityId, type PeerId, type StoreId } from '../lib/ids.ts';
import { failure, success, type Outcome } from '../lib/outcome.ts';
import { parse } from '../lib/parse.ts';
import { decodeWire, encodeWire } from '../lib/wire-codec.ts';
import { byeGraceMs, handshakeTimeoutMs, heldBytesMax, heldMessagesMax, wireVersion, wireVersionMin } from '../limits.ts';
import type { Link, Platform } from '../platform.ts';
import {
  byeSchema,
  helloSchema,
  helloVersionsSchema,
  macBytes,
  proofBytes,
  signedHelloSchema,
  type Bye,
  type ByeCode,
  type Hello,
} from '../protocol/hello.ts';
import { pieceLast } from '../protocol/frame.ts';
import type { Self } from '../service.ts';
import { chooseBinding } from './binding.ts';

export interface Proven {
  readonly peer: PeerId;
  readonly identity: IdentityId;
  readonly store: StoreId | null;
  /** Name of the binding agreed on. */
  readonly binding: string;
  readonly version: number;
  /** Hands over both planes: what came meanwhile first, then all that comes. */
  listen(control: (message: Uint8Array) => void, data: (message: Uint8Array) => void): void;
}

export interface HandshakeOptions {
  readonly bindings: readonly string[];
  /** This tab's own store, null where it does not speak for one. */
  readonly store: StoreId | null;
  /** The key of the private network this tab is in: nobody without it is let in. */
  readonly networkKey?: Uint8Array | undefined;
  /** undefined to let them in, or why not. */
  admits(identity: IdentityId): string | undefined;
  /** For tests of the meeting of versions. */
  readonly versions?: { readonly v: number; readonly vMin: number };
}

type Refusal = {
  readonly code: ByeCode;
  readonly sentence: string;
  /** The far side said so: nothing to tell it. */ readonly theirs?: true;
};

/**
 * A link that may yet carry both: keeps what comes before somebody listens, bounded. What a link holds for as long as it lives is this and nothing
 * else of its handshake, for a tab has many links.
 */
class Pen {
  #bytes = 0;
  #held: Uint8Array[] | undefined;
  #listener: ((message: Uint8Array) => void) | undefined;

  /** `first` takes the very first message, where it is given. */
  constructor(
    private flooded: (() => void) | undefined,
    private first?: (message: Uint8Array) => void,
  ) {}

  take(message: Uint8Array): void {
    if (this.#listener !== undefined) return this.#listener(message);
    const { first } = this;
    if (first !== undefined) {
      this.first = undefined;
      return first(message);
    }
    this.#bytes += message.length;
    this.#held ??= [];
    if (this.#bytes > heldBytesMax || this.#held.length >= heldMessagesMax) return this.flooded?.();
    this.#held.push(message);
  }

  listen(listener: (message: Uint8Array) => void): void {
    this.#listener = listener;
    this.flooded = undefined;
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) listener(message);
  }
}

/** Its end, told to whom it concerns now. */
class Ending {
  constructor(private tell: (() => void) | undefined) {}

  came(): void {
    this.tell?.();
  }

  concernsNobody(): void {
    this.tell = undefined;
  }
}

function watched(link: Link, control: Pen, data: Pen, ending: Ending): void {
  link.onClose(() => ending.came());
  link.data.onMessage((message) => data.take(message));
  link.control.onMessage((message) => control.take(message));
}

/**
 * Faults: 'refused' (another version, network or identity; the sentence says which), 'malformed', 'too-late', 'unreachable' (the
 * link closed). The link is closed then. Never rejects.
 */
export function handshake(link: Link, platform: Platform, self: Self, options: HandshakeOptions): Promise<Outcome<Proven>> {
  return new Promise((resolve) => {
    let settled = false;
    const settle = (outcome: Outcome<Proven>) => {
      if (settled) return false;
      settled = true;
      cancelTimer();
      ending.concernsNobody();
      resolve(outcome);
      return true;
    };
    const refuse = ({ code, sentence, theirs }: Refusal) => {
      const kind = code === 'malformed' || code === 'too-late' || code === 'overloaded' ? code : 'refused';
      if (!settle(failure(kind, sentence))) return;
      if (theirs) link.close();
      else sayBye(link, platform, code, sentence);
    };
    const flooded = () => refuse({ code: 'overloaded', sentence: 'Too much came before the other tab had proven who it is.' });
    const heardFirst = (message: Uint8Array) => {
      judge(message, link, platform, self, options).then(
        (judged) => {
          if (!judged.ok) return refuse(judged.refusal);
          admitted();
          const listen = (toControl: (message: Uint8Array) => void, toData: (message: Uint8Array) => void) => {
            control.listen(toControl);
            data.listen(toData);
          };
          // Our hello is the first message the far side may see.
          void introduced.then(() => settle(success({ ...judged.proven, listen })));
        },
        (error: unknown) => {
          platform.report('bug', 'the handshake threw', error);
          refuse({ code: 'refused', sentence: 'The link could not be checked.' });
        },
      );
    };
    const control = new Pen(flooded, heardFirst);
    const data = new Pen(flooded);
    let admitted: () => void = () => undefined;
    const secretive = options.networkKey !== undefined && !link.dialled;
    const heard = secretive ? new Promise<void>((resolve) => (admitted = resolve)) : undefined;
    const cancelTimer = platform.clock.after(handshakeTimeoutMs, () =>
      refuse({ code: 'too-late', sentence: 'The other tab did not introduce itself in time.' }),
    );
    const ending = new Ending(() => settle(failure('unreachable', 'The link closed before the other tab had introduced itself.')));
    watched(link, control, data, ending);
    const sign = () => signHello(link, platform, self, options);
    const introduced = (heard === undefined ? sign() : heard.then(sign)).then(
      (hello) => {
        if (!settled) link.control.send(hello);
      },
      (error: unknown) => {
        platform.report('bug', 'the hello could not be signed', error);
        refuse({ code: 'refused', sentence: 'This tab could not introduce itself.' });
      },
    );
  });
}

async function signHello(link: Link, platform: Platform, self: Self, options: HandshakeOptions): Promise<Uint8Array> {
  const hello = encodeWire({
    v: options.versions?.v ?? wireVersion,
    vMin: options.versions?.vMin ?? wireVersionMin,
    network: self.network,
    peer: self.peer,
    identity: self.identity,
    store: options.store,
    bindings: [...options.bindings],
  } satisfies Hello);
  const role = link.dialled ? 'dialler' : 'dialled';
  const proof = await platform.signer.sign(proofBytes(link.binding, role, self.peer, link.remote, hello));
  if (options.networkKey === undefined) return whole(encodeWire({ t: 'hello', hello, proof }));
  const mac = await hmacSha256(platform.digest.sha256, options.networkKey, macBytes(link.binding, role, self.peer, link.remote, hello));
  return whole(encodeWire({ t: 'hello', hello, proof, mac }));
}

type Judged = { readonly ok: true; readonly proven: Omit<Proven, 'listen'> } | { readonly ok: false; readonly refusal: Refusal };
const refused = (code: ByeCode, sentence: string): Judged => ({ ok: false, refusal: { code, sentence } });
const notOurs = (reason: string) => refused('malformed', `The other tab does not speak Lull's protocol: ${reason}.`);

async function judge(message: Uint8Array, link: Link, platform: Platform, self: Self, options: HandshakeOptions): Promise<Judged> {
  const tree = message[0] === pieceLast ? decodeWire(message.subarray(1)) : undefined;
  const signed = parse(signedHelloSchema, tree);
  if (!signed.success) {
    const bye = parse(byeSchema, tree);
    if (bye.success) return { ok: false, refusal: { code: bye.output.code, sentence: said(bye.output), theirs: true } };
    return notOurs('its first message is no hello');
  }

  const inside = decodeWire(signed.output.hello);
  const parsed = parse(helloSchema, inside);
  // Of another version it may be another hello, but it names its versions.
  const range = parsed.success ? parsed : parse(helloVersionsSchema, inside);
  if (!range.success) return notOurs('its hello names no version');
  const { v: newest, vMin: oldest } = { v: wireVersion, vMin: wireVersionMin, ...options.versions };
  const version = Math.min(newest, range.output.v);
  if (version < Math.max(oldest, range.output.vMin)) {
    const older = range.output.v < newest ? 'The other tab is older: it should be reloaded.' : 'Reload this page to get the newer version.';
    const ours = `this one speaks ${spell(oldest, newest)}`;
    return refused(
      'version',
      `The other tab speaks another protocol version (${spell(range.output.vMin, range.output.v)}; ${ours}). ${older}`,
    );
  }
  if (!parsed.success) return notOurs(`its hello does not fit (${parsed.message})`);
  const hello = parsed.output;
  if (hello.network !== self.network) return refused('network', 'The other tab belongs to another network.');
  if (hello.peer === self.peer || hello.peer !== link.remote || !peerBelongsTo(hello.peer, hello.identity)) {
    return refused('identity', 'The other tab is not who it was called by.');
  }
  const role = link.dialled ? 'dialled' : 'dialler';
  if (options.networkKey !== undefined) {
    const covered = macBytes(link.binding, role, hello.peer, self.peer, signed.output.hello);
    const due = await hmacSha256(platform.digest.sha256, options.networkKey, covered);
    if (signed.output.mac === undefined || !equalBytes(signed.output.mac, due))
      return refused('network', 'The other tab could not show that it has the key of this network.');
  }
  const bytes = proofBytes(link.binding, role, hello.peer, self.peer, signed.output.hello);
  if (!(await platform.signer.verify(hello.identity, bytes, signed.output.proof)))
    return refused('identity', 'The other tab could not prove who it is.');
  const why = options.admits(hello.identity);
  if (why !== undefined) return refused('refused', why);
  const binding = link.dialled ? chooseBinding(options.bindings, hello.bindings) : chooseBinding(hello.bindings, options.bindings);
  if (binding === undefined) return refused('version', 'The other tab and this one have no way of writing messages in common.');
  return { ok: true, proven: { peer: hello.peer, identity: hello.identity, store: hello.store, binding, version } };
}

const spell = (oldest: number, newest: number) => (oldest === newest ? `${newest}` : `${oldest} to ${newest}`);

const whole = (bytes: Uint8Array) => {
  const piece = new Uint8Array(1 + bytes.length);
  piece[0] = pieceLast;
  piece.set(bytes, 1);
  return piece;
};

/** What the far side's bye means here. Its own words are a stranger's: only the code is trusted to choose ours. */
export function said(bye: Bye): string {
  switch (bye.code) {
    case 'version':
      return 'The other tab speaks another protocol version. One of the two should be reloaded.';
    case 'network':
      return 'The other tab belongs to another network.';
    case 'identity':
      return "The other tab did not accept this tab's proof of identity.";
    case 'refused':
      return 'The other tab does not let this one in.';
    case 'duplicate':
      return 'Another link to the same tab is kept.';
    case 'malformed':
      return 'The other tab could not read what this one sent.';
    case 'overloaded':
      return 'The other tab has too much to do.';
    case 'too-late':
      return 'The other tab did not hear from this one in time.';
    case 'leaving':
      return 'The other tab is leaving.';
  }
}

/** Says why, gives it time to leave, closes. */
export function sayBye(link: Link, platform: Platform, code: ByeCode, sentence: string): void {
  link.control.send(whole(encodeWire({ t: 'bye', code, sentence: sentence.slice(0, 300) } satisfies Bye)));
  platform.clock.after(byeGraceMs, () => link.close());
}
