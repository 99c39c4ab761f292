import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { serverUnderTest, type ServerUnderTest } from '../../signaling/testing/server-under-test.ts';
import { within } from '../../signaling/testing/client.ts';
import { groupId, makePeerId, peerId, storeId, type IdentityId } from '../kernel/lib/ids.ts';
import type { Clock, DirectoryJoin, DirectoryListener } from '../kernel/platform.ts';
import { seededRandom } from '../kernel/testing/seeded-random.ts';
import { VirtualClock } from '../kernel/testing/virtual-clock.ts';
import { directoryUrlOf, peerDirectory, type DirectorySocket } from './peer-directory.ts';

const group = groupId('ab'.repeat(16));
const other = { peer: peerId(`${'c'.repeat(32)}-${'d'.repeat(16)}`), store: null };

function newJoin(): DirectoryJoin {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const identity = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex') as IdentityId;
  return {
    network: 'public',
    peer: makePeerId(identity, randomBytes(8)),
    identity,
    store: storeId(randomBytes(16).toString('hex')),
    lastGroup: null,
    prove: (challenge) => Promise.resolve(sign(null, challenge, privateKey)),
  };
}

/** Writes down what it hears, one line each, and lets a test wait for a line. */
class Listener implements DirectoryListener {
  readonly heard: string[] = [];
  #wake: (() => void)[] = [];

  welcome: DirectoryListener['welcome'] = (is, members) => this.#say(`welcome ${is} ${members.map(({ peer }) => peer).join()}`.trim());
  moved: DirectoryListener['moved'] = (to, members) => this.#say(`moved ${to} ${members.map(({ peer }) => peer).join()}`.trim());
  around: DirectoryListener['around'] = ({ absorbed, neighbours }) =>
    this.#say(`around ${absorbed.join()} ${neighbours.map(({ group, contacts }) => `${group}:${contacts.join()}`).join(' ')}`);
  joined: DirectoryListener['joined'] = ({ peer }) => this.#say(`joined ${peer}`);
  left: DirectoryListener['left'] = (peer) => this.#say(`left ${peer}`);
  state: DirectoryListener['state'] = (state, reason) => this.#say(`${state} ${reason}`.trim());

  /** The first line from `from` on that starts with `start`. */
  async line(start: string, from = 0): Promise<string> {
    for (;;) {
      const line = this.heard.slice(from).find((is) => is.startsWith(start));
      if (line !== undefined) return line;
      await within(new Promise<void>((resolve) => this.#wake.push(resolve)), 10_000, `"${start}" after ${JSON.stringify(this.heard)}`);
    }
  }

  #say(line: string): void {
    this.heard.push(line);
    for (const wake of this.#wake.splice(0)) wake();
  }
}

describe('over a socket of our own', () => {
  /** A server that says what the test says. */
  class ScriptedSocket implements DirectorySocket {
    onmessage: DirectorySocket['onmessage'] = null;
    onclose: DirectorySocket['onclose'] = null;
    onerror: DirectorySocket['onerror'] = null;
    readonly sent: string[] = [];
    closed = false;

    send(text: string): void {
      this.sent.push(text);
    }

    close(): void {
      this.closed = true;
    }

    say(frame: object | string): void {
      this.onmessage?.({ data: typeof frame === 'string' ? frame : JSON.stringify(frame) });
    }

    welcome(): void {
      this.say({ type: 'welcome', group, members: [other], siteVersion: 'v', absorbed: [], neighbours: [] });
    }
  }

  const clock = () => new VirtualClock();
  const set = (join = newJoin()) => {
    const time = clock();
    const sockets: ScriptedSocket[] = [];
    const openedAt: number[] = [];
    const directory = peerDirectory({
      url: 'ws://x/directory',
      clock: time,
      random: seededRandom('back-off'),
      openSocket: () => {
        const socket = new ScriptedSocket();
        sockets.push(socket);
        openedAt.push(time.now());
        return socket;
      },
    });
    const listener = new Listener();
    directory.start(join, listener);
    const last = () => sockets.at(-1)!;
    /** The server goes away `times` times, each time the moment it was found again. Answers how long each search took. */
    const lose = async (times: number): Promise<number[]> => {
      const waits: number[] = [];
      for (let i = 0; i < times; i++) {
        const [count, since] = [sockets.length, time.now()];
        last().onclose?.();
        await time.until(() => sockets.length > count, 15_001);
        waits.push(openedAt.at(-1)! - since);
      }
      return waits;
    };
    return { time, sockets, directory, listener, last, lose };
  };

  test('tries again ever more rarely, up to every 15 s, with chance in it', async () => {
    const { lose } = set();
    const waits = await lose(12);
    waits.forEach((wait, i) => {
      const ceiling = Math.min(15_000, 250 * 2 ** i);
      expect(wait).toBeGreaterThanOrEqual(ceiling / 2);
      expect(wait).toBeLessThanOrEqual(ceiling);
    });
    expect(new Set(waits).size).toBe(waits.length);
  });

  test('tells of a move and of neighbours, and asks to be returned to where it was moved', async () => {
    const { time, last, listener, sockets } = set();
    const [there, near] = ['cd'.repeat(16), 'ef'.repeat(16)];
    last().say({ type: 'neighbours', absorbed: [], neighbours: [] });
    last().welcome();
    last().say({ type: 'neighbours', absorbed: [], neighbours: [{ group: near, contacts: [other.peer] }] });
    last().say({ type: 'moved', group: there, members: [other], absorbed: [group], neighbours: [] });
    expect(listener.heard.slice(2)).toEqual([`around  ${near}:${other.peer}`, `moved ${there} ${other.peer}`]);
    last().onclose?.();
    await time.until(() => sockets.length === 2, 15_001);
    last().say({ type: 'challenge', nonce: '00'.repeat(32), siteVersion: 'v' });
    await time.until(() => last().sent.length > 0, 1_000);
    expect(JSON.parse(last().sent[0]!)).toMatchObject({ lastGroup: there });
  });

  test('starts with the short wait again after a connection that held, not after one that did not', async () => {
    const { time, last, lose } = set();
    await lose(8);
    last().welcome();
    await time.advance(1_000);
    expect((await lose(1))[0]).toBeGreaterThanOrEqual(7_500);
    last().welcome();
    await time.advance(6_000);
    expect((await lose(1))[0]).toBeLessThanOrEqual(250);
  });

  test('says what changes, once: a server that stays away is one sentence', async () => {
    const { listener, last, lose } = set();
    await lose(3);
    last().welcome();
    last().say({ type: 'joined', ...other });
    last().say({ type: 'left', peer: other.peer });
    expect(listener.heard).toEqual([
      'down The server is away. Lull keeps trying.',
      'up',
      `welcome ${group} ${other.peer}`,
      `joined ${other.peer}`,
      `left ${other.peer}`,
    ]);
  });

  test.each([
    ['nonsense'],
    ['{"type":"welcome"}'],
    ['x'.repeat(70_000)],
    [{ type: 'welcome', group, members: Array(49).fill(other), siteVersion: 'v', absorbed: [], neighbours: [] }],
  ])('leaves a server that says %s, and tries again', async (frame) => {
    const { time, sockets, listener, last } = set();
    const first = last();
    first.say(frame);
    expect(first.closed).toBe(true);
    expect(listener.heard).toEqual(['down The server said something that this page does not understand.']);
    await time.advance(250);
    expect(sockets).toHaveLength(2);
    first.onmessage?.({ data: JSON.stringify({ type: 'left', peer: other.peer }) });
    expect(listener.heard).toHaveLength(1);
  });

  test('notices a server that has gone silent, and one that never answers', async () => {
    const { time, sockets, listener, last } = set();
    await time.advance(10_000);
    expect(listener.heard).toEqual(['down The server does not answer. Lull keeps trying.']);
    await time.advance(500);
    last().welcome();
    for (let i = 0; i < 10; i++) {
      await time.advance(10_000);
      last().say({ type: 'beat' });
    }
    expect(sockets).toHaveLength(2);
    await time.advance(30_000);
    expect(listener.heard.at(-1)).toBe('down The server has gone silent. Lull keeps trying.');
  });

  test('passes a refusal on, and asks again rarely', async () => {
    const { time, sockets, listener, last } = set();
    last().say({ type: 'refused', code: 'version', message: 'Reload the page.' });
    expect(listener.heard).toEqual(['refused Reload the page.']);
    await time.advance(7_400);
    expect(sockets).toHaveLength(1);
    await time.advance(7_600);
    expect(sockets).toHaveLength(2);
  });

  test('a proof that cannot be made is no end', async () => {
    const { time, sockets, listener, last } = set({ ...newJoin(), prove: () => Promise.reject(new Error('no key')) });
    last().say({ type: 'challenge', nonce: '00'.repeat(32), siteVersion: 'v' });
    await time.advance(250);
    expect(listener.heard).toEqual(['down This browser could not sign for its identity.']);
    expect(sockets).toHaveLength(2);
  });

  test('stopped, it says and does nothing more', async () => {
    const { time, sockets, listener, directory, last } = set();
    last().welcome();
    const socket = last();
    directory.stop();
    directory.stop();
    socket.say({ type: 'left', peer: other.peer });
    await time.advance(100_000);
    expect(socket.closed).toBe(true);
    expect(sockets).toHaveLength(1);
    expect(listener.heard).toEqual(['up', `welcome ${group} ${other.peer}`]);
  });

  test('knows the address from that of the page', () => {
    expect(directoryUrlOf(new URL('https://lull.example/jobs?x'))).toBe('wss://lull.example/directory');
    expect(directoryUrlOf(new URL('http://localhost:8787/'))).toBe('ws://localhost:8787/directory');
  });
});

describe('with the real server', () => {
  const realClock: Clock = {
    now: () => performance.now(),
    wall: () => Date.now(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  const stops: (() => void)[] = [];
  let server: ServerUnderTest;
  beforeEach(async () => {
    server = await serverUnderTest();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) stop();
    await server.close();
  });

  const join = (is = newJoin()) => {
    const directory = peerDirectory({
      url: `${server.wsUrl}/directory`,
      clock: realClock,
      random: seededRandom(is.peer),
      openSocket: (url) => new WebSocket(url) as unknown as DirectorySocket,
    });
    const listener = new Listener();
    directory.start(is, listener);
    stops.push(() => directory.stop());
    return { is, listener, stop: () => directory.stop() };
  };

  test('two peers are welcomed into one group and hear of each other coming and going', async () => {
    const ann = join();
    const welcome = await ann.listener.line('welcome');
    const ben = join();
    expect(await ben.listener.line('welcome')).toBe(`${welcome} ${ann.is.peer}`);
    expect(await ann.listener.line('joined')).toBe(`joined ${ben.is.peer}`);
    ben.stop();
    expect(await ann.listener.line('left')).toBe(`left ${ben.is.peer}`);
  });

  test('comes back to its group by itself when the server is restarted', async () => {
    const last = groupId('ef'.repeat(16));
    const ann = join({ ...newJoin(), lastGroup: last });
    expect(await ann.listener.line('welcome')).toBe(`welcome ${last}`);
    const { port } = server;
    await server.close();
    await ann.listener.line('down');
    const from = ann.listener.heard.length;
    server = await serverUnderTest({}, { port });
    expect(await ann.listener.line('welcome', from)).toBe(`welcome ${last}`);
    expect(await server.metric('lull_peers')).toBe(1);
  });

  test('hears why it is refused', async () => {
    const somebodyElse = newJoin();
    const eve = join({ ...newJoin(), prove: (challenge) => somebodyElse.prove(challenge) });
    expect(await eve.listener.line('refused')).toBe('refused This tab could not prove who it is.');
  });
});
