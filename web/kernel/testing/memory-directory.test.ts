import { expect, test } from 'vitest';
import { groupId, identityId, peerId, storeId, type GroupId } from '../lib/ids.ts';
import type { DirectoryJoin } from '../platform.ts';
import { MemoryDirectory, type MemoryDirectoryOptions } from './memory-directory.ts';
import { seededRandom } from './seeded-random.ts';
import { VirtualClock } from './virtual-clock.ts';

const digit = (n: number) => n.toString(16);

function town(options: MemoryDirectoryOptions = {}) {
  const clock = new VirtualClock();
  const directory = new MemoryDirectory(clock, seededRandom('directory'), options);
  const tab = (n: number, join: Partial<DirectoryJoin> = {}) => {
    const port = directory.directory();
    const events: string[] = [];
    const seen = { group: null as GroupId | null, members: [] as number[] };
    const peer = peerId(`${digit(n).repeat(32)}-${'0'.repeat(16)}`);
    port.start(
      {
        network: 'public',
        peer,
        identity: identityId(digit(n).repeat(64)),
        store: storeId(digit(n).repeat(32)),
        lastGroup: null,
        prove: (challenge) => Promise.resolve(challenge),
        ...join,
      },
      {
        welcome: (group, members) => {
          seen.group = group;
          seen.members = members.map((entry) => Number.parseInt(entry.peer[0]!, 16));
          events.push('welcome');
        },
        moved: (group, members) => {
          seen.group = group;
          seen.members = members.map((entry) => Number.parseInt(entry.peer[0]!, 16));
          events.push('moved');
        },
        around: ({ absorbed, neighbours }) =>
          events.push(
            `around ${absorbed.length} ${neighbours.map(({ contacts }) => contacts.map((contact) => contact[0]).join('')).join()}`,
          ),
        joined: (entry) => events.push(`joined ${entry.peer[0]}`),
        left: (gone) => events.push(`left ${gone[0]}`),
        state: (state) => events.push(state),
      },
    );
    return { port, peer, events, seen };
  };
  return { clock, directory, tab };
}

test('tabs meet in one group until it is full, and are told of each other', async () => {
  const { clock, tab } = town({ groupPeersMax: 2 });
  const tabs = [];
  for (const n of [1, 2, 3]) {
    tabs.push(tab(n));
    await clock.advance(20);
  }
  expect(tabs[1]!.seen).toEqual({ group: tabs[0]!.seen.group, members: [1] });
  expect(tabs[2]!.seen.group).not.toBe(tabs[0]!.seen.group);
  expect(tabs[0]!.events).toEqual(['up', 'welcome', 'joined 2']);
});

test('a store is returned to its group', async () => {
  const { clock, tab } = town({ groupPeersMax: 2 });
  const first = tab(1);
  await clock.advance(20);
  tab(2);
  await clock.advance(20);
  first.port.stop();
  tab(3, { network: 'class' });
  await clock.advance(20);
  const again = tab(1);
  await clock.advance(20);
  expect(again.seen).toEqual({ group: first.seen.group, members: [2] });
});

test('a directory that went away and forgot returns tabs to the groups they were in', async () => {
  const { clock, directory, tab } = town();
  const tabs = [tab(1), tab(2)];
  await clock.advance(20);
  const { group } = tabs[0]!.seen;
  directory.down();
  await clock.advance(20);
  expect(tabs[0]!.events.at(-1)).toBe('down');
  expect(directory.groups().size).toBe(0);
  directory.up();
  await clock.advance(20);
  expect(tabs.map((each) => each.seen.group)).toEqual([group, group]);
});

test('a crash and a good-bye are told to the rest of the group, a gone tab hears nothing', async () => {
  const { clock, directory, tab } = town();
  const [one, two, three] = [tab(1), tab(2), tab(3)];
  await clock.advance(20);
  directory.crash(two.peer);
  const heard = two.events.length;
  three.port.stop();
  await clock.advance(20);
  expect(one.events.slice(-2)).toEqual(['left 2', 'left 3']);
  expect(two.events.length).toBe(heard);
});

test('a tab that cannot prove its identity is refused', async () => {
  const { clock, tab } = town({ verify: () => Promise.resolve(false) });
  const one = tab(1, { lastGroup: groupId('a'.repeat(32)) });
  await clock.advance(20);
  expect(one.events).toEqual(['refused']);
});

test('groups hear whom to dial of their neighbours, and of a change within a second', async () => {
  const { clock, directory, tab } = town({ groupPeersMax: 2 });
  const tabs = [1, 2, 3].map((n) => tab(n));
  await clock.advance(2_000);
  expect(tabs[0]!.events.at(-1)).toBe('around 0 3');
  expect(tabs[2]!.events.at(-1)).toMatch(/^around 0 (12|21)$/);
  directory.crash(tabs[0]!.peer);
  await clock.advance(1_100);
  expect(tabs[2]!.events.at(-1)).toBe('around 0 2');
});

test('a merge moves all of one group, who keep each other, and the others hear of them; a split moves half', async () => {
  const { clock, directory, tab } = town({ groupPeersMax: 2 });
  const tabs = [1, 2, 3].map((n) => tab(n));
  await clock.advance(20);
  directory.merge(tabs[0]!.seen.group!, tabs[2]!.seen.group!);
  await clock.advance(20);
  expect(tabs[0]!.seen).toEqual({ group: tabs[2]!.seen.group, members: [3, 2] });
  expect(tabs[2]!.events.slice(-2)).toEqual(['joined 1', 'joined 2']);
  directory.split(tabs[2]!.seen.group!);
  await clock.advance(20);
  expect(tabs[2]!.seen.members).toEqual([]);
  expect(tabs[0]!.seen.group).not.toBe(tabs[2]!.seen.group);
  expect(tabs[0]!.events.at(-1)).toBe('left 3');
});
