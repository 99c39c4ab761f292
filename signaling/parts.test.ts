import { describe, expect, test } from 'vitest';
import { addressKey } from './addresses.ts';
import { optionsFromEnvironment } from './environment.ts';
import { loadSite } from './site-files.ts';
import { StoppableTimers } from './stoppable-timers.ts';
import { makeSite } from './testing/server-under-test.ts';
import { until } from './testing/client.ts';
import { TokenBucket } from './token-bucket.ts';

describe('a token bucket', () => {
  test('gives its burst, then its rate, and never more than its burst', () => {
    const bucket = new TokenBucket({ burst: 3, perSecond: 2 }, 0);
    expect([bucket.take(2, 0), bucket.take(2, 0), bucket.take(1, 0)]).toEqual([true, false, true]);
    expect([bucket.take(1, 400), bucket.take(1, 500)]).toEqual([false, true]);
    expect([bucket.take(4, 60_000), bucket.take(3, 60_000)]).toEqual([false, true]);
  });
});

describe('an address', () => {
  test.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    [undefined, 'unknown'],
  ])('%s counts as %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

describe('the environment', () => {
  test('may be empty', () => {
    expect(optionsFromEnvironment({})).toMatchObject({
      port: 8787,
      host: '127.0.0.1',
      tls: null,
      iceServers: [],
      limits: { groupPeersMax: 24 },
    });
  });

  test.each([
    [{ PORT: 'http' }, 'PORT must be a whole number from 0 to 65535, not "http".'],
    [{ PORT: '70000' }, 'PORT must be'],
    [{ GROUP_PEERS_MAX: '25' }, 'GROUP_PEERS_MAX must be a whole number from 1 to 24'],
    [{ ICE_SERVERS: 'stun:x' }, 'ICE_SERVERS is not JSON.'],
    [{ ICE_SERVERS: '{}' }, 'ICE_SERVERS does not list ICE servers'],
    [{ ICE_SERVERS: '[{"urls":"http://x"}]' }, 'urls start with stun: or turn:'],
    [{ TLS_CERT: '/x' }, 'https needs both TLS_CERT and TLS_KEY'],
    [{ TLS_CERT: '/nowhere/c.pem', TLS_KEY: '/nowhere/k.pem' }, 'TLS_CERT: cannot read /nowhere/c.pem (ENOENT).'],
  ])('%o stops the start in one line', (environment, sentence) => {
    expect(() => optionsFromEnvironment(environment)).toThrow(sentence);
  });

  test('hands on ICE servers as they are', () => {
    const servers = [{ urls: ['stun:a.example', 'turns:b.example:443?transport=tcp'], username: 'u', credential: 'c' }];
    expect(optionsFromEnvironment({ ICE_SERVERS: JSON.stringify(servers) }).iceServers).toEqual(servers);
  });
});

describe('the built site', () => {
  test('has a version that changes with any content or name, and with nothing else', async () => {
    const version = async (files: Record<string, string>) => {
      const site = await makeSite(files);
      const { version: is } = await loadSite(site.directory, 1_000);
      await site.remove();
      return is;
    };
    const first = await version({ 'index.html': 'a', 'b.js': 'b' });
    expect(await version({ 'b.js': 'b', 'index.html': 'a' })).toBe(first);
    expect(await version({ 'index.html': 'a', 'b.js': 'c' })).not.toBe(first);
    expect(await version({ 'index.html': 'a', 'c.js': 'b' })).not.toBe(first);
  });

  test('is refused when it is missing or too large', async () => {
    await expect(loadSite('/nowhere', 1_000)).rejects.toThrow('There is no built site in /nowhere.');
    const site = await makeSite({ 'index.html': 'x'.repeat(2_000) });
    await expect(loadSite(site.directory, 1_000)).rejects.toThrow('larger than 1000 bytes');
    await site.remove();
  });
});

describe('stoppable timers', () => {
  test("hold the timers of what runs inside, and those that these arm, and nobody else's", async () => {
    const timers = new StoppableTimers();
    const real = globalThis.setTimeout;
    let ticks = 0;
    let outside = 0;
    const tick = () => {
      ticks++;
      setTimeout(tick, 1);
    };
    timers.hold(tick);
    expect(globalThis.setTimeout).toBe(real);
    await until(() => ticks > 5, 'a few ticks');
    timers.stop();
    const at = ticks;
    setTimeout(() => outside++, 20);
    await until(() => outside === 1, 'a timer of our own');
    expect(ticks).toBe(at);
    expect(globalThis.setTimeout).toBe(real);
  });
});
