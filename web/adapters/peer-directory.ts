// The Directory port over the signaling server's WebSocket (web/kernel/protocol/directory.ts).
//
//   waiting --delay--> opening --challenge, proof--> proving --welcome--> up
//      ^                  |                             |                 |
//      +------------------+------- closed, refused, silent too long ------+
import * as v from 'valibot';
import { hexOf } from '../kernel/lib/bytes.ts';
import type { GroupId } from '../kernel/lib/ids.ts';
import type { Cancel, Clock, Directory, DirectoryJoin, DirectoryListener, Neighbourhood, Random } from '../kernel/platform.ts';
import {
  directoryBeatEveryMs,
  directoryFrameCharsMax,
  directoryFrameSchema,
  directoryVersion,
  joinProofBytes,
  type DirectoryFrame,
  type DirectoryJoinMessage,
} from '../kernel/protocol/directory.ts';
import { unreachable } from '../kernel/lib/unreachable.ts';

const retryMsMin = 250;
const retryMsMax = 15_000;
const welcomeMsMax = 10_000;
const silenceMsMax = 3 * directoryBeatEveryMs;
/** A connection that lived this long was a good one: the next attempt starts with the shortest delay again. */
const steadyMs = 5_000;

/** What is used of a WebSocket. The browser's own and the `ws` package's both fit. */
export interface DirectorySocket {
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export interface PeerDirectoryOptions {
  /** 'wss://host/directory' */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly openSocket?: (url: string) => DirectorySocket;
}

/** The directory of the server that served `page`. */
export const directoryUrlOf = (page: URL) => `${page.protocol === 'https:' ? 'wss' : 'ws'}://${page.host}/directory`;

const openWebSocket = (url: string): DirectorySocket => new WebSocket(url) as DirectorySocket;

export interface PeerDirectory extends Directory {
  /** Resolves when its socket has been asked for: browsers open one socket to a host after the other, in that order. */
  readonly begun: Promise<void>;
}

/** Nothing here throws or rejects: a server that is away, mute or wrong is a `state`, and another attempt. */
export function peerDirectory({ url, clock, random, openSocket = openWebSocket }: PeerDirectoryOptions): PeerDirectory {
  let running: Connection | undefined;
  let begin = () => {};
  const begun = new Promise<void>((resolve) => (begin = resolve));
  return {
    begun,
    start(join, listener) {
      running?.stop();
      running = new Connection({ url, clock, random, openSocket }, join, listener);
      running.open();
      begin();
    },
    stop() {
      running?.stop();
      running = undefined;
    },
  };
}

class Connection {
  #socket: DirectorySocket | undefined;
  #cancelTimer: Cancel = () => undefined;
  #failures = 0;
  #upSince: number | undefined;
  /** What the listener was told last, so that it hears of changes only. */
  #told: string | undefined;
  #group: GroupId | null;
  #stopped = false;

  constructor(
    private readonly options: Required<PeerDirectoryOptions>,
    private readonly join: DirectoryJoin,
    private readonly listener: DirectoryListener,
  ) {
    this.#group = join.lastGroup;
  }

  open(): void {
    let socket: DirectorySocket;
    try {
      socket = this.options.openSocket(this.options.url);
    } catch {
      // An address the browser will not even try: still tried again, for a page may outlive a policy.
      return this.#retry('The server cannot be reached from this page.');
    }
    this.#socket = socket;
    // A socket that was given up may still speak: it is not listened to.
    const current = (run: () => void) => {
      if (this.#socket === socket) run();
    };
    socket.onmessage = ({ data }) => current(() => this.#receive(socket, data));
    socket.onclose = () => current(() => this.#retry('The server is away. Lull keeps trying.'));
    socket.onerror = () => current(() => this.#retry('The server is away. Lull keeps trying.'));
    this.#timer(welcomeMsMax, () => this.#retry('The server does not answer. Lull keeps trying.'));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#drop();
  }

  #receive(socket: DirectorySocket, data: unknown): void {
    const frame = parseFrame(data);
    if (frame === undefined) return this.#retry('The server said something that this page does not understand.');
    if (this.#upSince !== undefined) this.#watchSilence();
    switch (frame.type) {
      case 'challenge':
        void this.#prove(socket, frame.nonce);
        return;
      case 'welcome':
        this.#upSince = this.options.clock.now();
        this.#group = frame.group;
        this.#watchSilence();
        this.#tell('up', '');
        if (this.#stopped) return;
        this.listener.welcome(frame.group, frame.members, frame.siteVersion, aroundOf(frame));
        return;
      case 'moved':
        if (this.#upSince === undefined) return;
        this.#group = frame.group;
        this.listener.moved(frame.group, frame.members, aroundOf(frame));
        return;
      case 'neighbours':
        if (this.#upSince !== undefined) this.listener.around(aroundOf(frame));
        return;
      case 'joined':
        if (this.#upSince !== undefined) this.listener.joined({ peer: frame.peer, store: frame.store });
        return;
      case 'left':
        if (this.#upSince !== undefined) this.listener.left(frame.peer);
        return;
      case 'beat':
        return;
      case 'refused':
        // Trying again soon would change nothing, except where the server itself says so.
        if (frame.code !== 'overloaded' && frame.code !== 'too-late') this.#failures = Number.POSITIVE_INFINITY;
        return this.#retry(frame.message, 'refused');
      default:
        unreachable(frame);
    }
  }

  async #prove(socket: DirectorySocket, nonce: string): Promise<void> {
    const { network, peer, identity, store } = this.join;
    let signature: string;
    try {
      signature = hexOf(await this.join.prove(joinProofBytes(nonce, { network, peer, store })));
    } catch {
      if (this.#socket === socket) this.#retry('This browser could not sign for its identity.');
      return;
    }
    if (this.#socket !== socket) return;
    // The group it is in now counts more than the one it started from.
    const message: DirectoryJoinMessage = {
      type: 'join',
      v: directoryVersion,
      network,
      peer,
      identity,
      store,
      lastGroup: this.#group,
      signature,
    };
    socket.send(JSON.stringify(message));
  }

  #watchSilence(): void {
    this.#timer(silenceMsMax, () => this.#retry('The server has gone silent. Lull keeps trying.'));
  }

  #retry(reason: string, state: 'down' | 'refused' = 'down'): void {
    const { clock, random } = this.options;
    if (this.#upSince !== undefined && clock.now() - this.#upSince >= steadyMs) this.#failures = 0;
    this.#upSince = undefined;
    this.#drop();
    const delay = Math.min(retryMsMax, retryMsMin * 2 ** this.#failures++);
    // Half of it is chance: the tabs of a site whose server restarted must not all come in the same moment.
    this.#timer(delay * (0.5 + random.fraction() / 2), () => this.open());
    this.#tell(state, reason);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined) return;
    socket.onmessage = null;
    socket.onclose = null;
    // `ws` throws what nobody listens for.
    socket.onerror = () => undefined;
    socket.close();
  }

  #tell(state: 'up' | 'down' | 'refused', reason: string): void {
    if (this.#stopped || this.#told === `${state} ${reason}`) return;
    this.#told = `${state} ${reason}`;
    this.listener.state(state, reason);
  }

  /** One timer at a time: each state waits for one thing. */
  #timer(ms: number, run: () => void): void {
    this.#cancelTimer();
    if (!this.#stopped) this.#cancelTimer = this.options.clock.after(ms, run);
  }
}

const aroundOf = ({ absorbed, neighbours }: Neighbourhood): Neighbourhood => ({ absorbed, neighbours });

function parseFrame(data: unknown): DirectoryFrame | undefined {
  if (typeof data !== 'string' || data.length > directoryFrameCharsMax) return undefined;
  try {
    const frame = v.safeParse(directoryFrameSchema, JSON.parse(data));
    return frame.success ? frame.output : undefined;
  } catch {
    return undefined;
  }
}
