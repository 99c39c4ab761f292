// Peers with real keys, and sockets whose frames a test waits for in order.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { WebSocket, type ClientOptions } from 'ws';
import { hexOf } from '../../web/kernel/lib/bytes.ts';
import { makePeerId, storeId, type GroupId, type IdentityId, type PeerId, type StoreId } from '../../web/kernel/lib/ids.ts';
import { introductionProofBytes, introductionToken, joinProofBytes, type DirectoryFrame } from '../../web/kernel/protocol/directory.ts';

const waitMsMax = 4_000;

export interface TestPeer {
  readonly identity: IdentityId;
  readonly peer: PeerId;
  readonly store: StoreId;
  /** Ed25519, in hex. */
  sign(bytes: Uint8Array): string;
  /** Another page load of the same browser profile: same identity and store, another peer id. */
  reloaded(): TestPeer;
}

export function testPeer(): TestPeer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const identity = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex') as IdentityId;
  const store = storeId(randomBytes(16).toString('hex'));
  const load = (): TestPeer => ({
    identity,
    peer: makePeerId(identity, randomBytes(8)),
    store,
    sign: (bytes) => hexOf(sign(null, bytes, privateKey)),
    reloaded: load,
  });
  return load();
}

export const tokenOf = (peer: TestPeer) => introductionToken(peer.identity, peer.sign(introductionProofBytes(peer.peer)));

export class Client {
  readonly #frames: unknown[] = [];
  readonly #waiting: (() => void)[] = [];
  /** Resolves with the close code: 1006 where the connection was cut. */
  readonly closed: Promise<number>;
  readonly socket: WebSocket;
  isClosed = false;

  private constructor(url: string, options: ClientOptions) {
    this.socket = new WebSocket(url, options);
    this.socket.on('error', () => undefined);
    this.socket.on('message', (data: Buffer) => {
      this.#frames.push(JSON.parse(data.toString()));
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code) => {
        this.isClosed = true;
        resolve(code);
        for (const wake of this.#waiting.splice(0)) wake();
      });
    });
  }

  /** @throws Error naming the HTTP status when the server refuses the upgrade */
  static open(url: string, options: ClientOptions = {}): Promise<Client> {
    const client = new Client(url, options);
    return new Promise((resolve, reject) => {
      client.socket.on('open', () => resolve(client));
      client.socket.on('unexpected-response', (_request, response) => {
        response.destroy();
        reject(new Error(`refused with ${response.statusCode}`));
      });
      client.socket.on('error', reject);
    });
  }

  /** The next frame of that type; earlier ones of other types are dropped. Fails when the socket closes first, or in 4 s. */
  async next<T extends DirectoryFrame['type']>(type: T): Promise<Extract<DirectoryFrame, { type: T }>> {
    return (await this.nextWhere((frame) => frame.type === type, type)) as Extract<DirectoryFrame, { type: T }>;
  }

  async nextWhere(is: (frame: { type?: string }) => boolean, what: string): Promise<unknown> {
    const deadline = Date.now() + waitMsMax;
    for (;;) {
      while (this.#frames.length > 0) {
        const frame = this.#frames.shift() as { type?: string };
        if (is(frame)) return frame;
      }
      if (this.isClosed) throw new Error(`the socket closed before ${what}`);
      await within(new Promise<void>((resolve) => this.#waiting.push(resolve)), Math.max(1, deadline - Date.now()), what);
    }
  }

  /** What arrived and was not asked for. */
  unread(): readonly unknown[] {
    return this.#frames;
  }

  send(value: unknown): void {
    this.socket.send(typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value));
  }

  close(): void {
    this.socket.close();
  }

  /** As when the process dies. */
  vanish(): void {
    this.socket.terminate();
  }
}

export interface JoinChanges {
  readonly network?: string;
  readonly lastGroup?: GroupId | null;
  readonly store?: StoreId | null;
  /** Says who really signs. */
  readonly signedBy?: TestPeer;
  readonly more?: object;
}

/** Connects, answers the challenge and leaves the answer to the test. */
export async function introduce(wsUrl: string, peer: TestPeer, changes: JoinChanges = {}): Promise<Client> {
  const client = await Client.open(`${wsUrl}/directory`);
  const { nonce } = await client.next('challenge');
  const { network = 'public', lastGroup = null, store = peer.store, signedBy = peer, more = {} } = changes;
  const signature = signedBy.sign(joinProofBytes(nonce, { network, peer: peer.peer, store }));
  client.send({ type: 'join', v: 1, network, peer: peer.peer, identity: peer.identity, store, lastGroup, signature, ...more });
  return client;
}

export async function join(wsUrl: string, peer: TestPeer, changes: JoinChanges = {}) {
  const client = await introduce(wsUrl, peer, changes);
  const { group, members, absorbed, neighbours } = await client.next('welcome');
  return { client, peer, group, members, absorbed, neighbours };
}

export async function meet(wsUrl: string, peer: TestPeer, token = tokenOf(peer)): Promise<Client> {
  return Client.open(`${wsUrl}/peerjs/peerjs?key=peerjs&id=${peer.peer}&token=${token}&version=1.5.5`);
}

/** @throws Error after `ms`, naming what did not happen */
export async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Looks again and again until it is so. */
export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + waitMsMax;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`${what} did not come true within ${waitMsMax} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
