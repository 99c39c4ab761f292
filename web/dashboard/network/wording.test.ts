import { describe, expect, it } from 'vitest';
import type { Neighbour } from '../../kernel/protocol/contracts/groups.ts';
import type { ClockRelationOfJob } from '../../kernel/protocol/contracts/ledger.ts';
import { groupId, jobId, makePeerId } from '../../kernel/lib/ids.ts';
import { identityId } from '../../kernel/lib/ids.ts';
import { clockLines, historyWords, loadSentence, neighbourSentence, relationSentence, withRelations, type Relations } from './wording.ts';

const peer = (digit: string) => makePeerId(identityId(digit.repeat(64)), new Uint8Array(8));
const neighbour: Neighbour = {
  group: groupId('b'.repeat(32)),
  name: 'tern-07',
  answersFor: [],
  members: [{ peer: peer('1'), identity: identityId('1'.repeat(64)), store: null }],
  states: ['idle'],
  bridges: [
    { here: peer('2'), there: peer('1'), since: 0 },
    { here: peer('2'), there: peer('3'), since: 0 },
  ],
  up: true,
  heardMsAgo: 100,
  spareWorkers: 1,
  waitingFunctions: 3,
};
const relation: ClockRelationOfJob = {
  group: neighbour.group,
  job: jobId('c'.repeat(64)),
  relation: 'equal',
  ours: 10,
  theirs: 10,
  mergedEvents: 4,
  lastMergeAt: 1,
  history: [
    { relation: 'behind', since: 0 },
    { relation: 'concurrent', since: 1 },
    { relation: 'concurrent', since: 2 },
  ],
  words: '',
};

describe('what is said of a neighbour', () => {
  it('is how it is reached, or since when it is not', () => {
    expect(neighbourSentence(neighbour, 0)).toBe('1 tab, reached over 1 bridge.');
    expect(neighbourSentence({ ...neighbour, up: false, heardMsAgo: 25_000 }, 5_000)).toBe(
      'Cut off: last heard 30 s ago. Both groups go on by themselves.',
    );
    expect(neighbourSentence({ ...neighbour, heardMsAgo: null }, 0)).toBe('Nobody here has reached it yet.');
  });

  it('is what waits there and what is spare', () => {
    expect(loadSentence(neighbour)).toBe('3 parts wait there; 1 core is spare.');
    expect(loadSentence({ spareWorkers: 0, waitingFunctions: 0 })).toBe('Nothing waits there; no core is spare.');
  });
});

describe('what is said of a job', () => {
  it('is how it came to stand as it does', () => {
    expect(historyWords(relation)).toBe('behind, then concurrent, then equal');
    expect(historyWords({ ...relation, history: [] })).toBe('equal');
    expect(relationSentence('concurrent')).toMatch(/^Each group/);
  });

  it('is its clock, a line a tab', () => {
    const lines = clockLines({ [peer('1')]: [[1, 3]], [peer('2')]: [[1, 20], [25, 25]] }); // prettier-ignore
    expect(lines.map(({ events, held }) => [events, held])).toEqual([
      [21, '1–20, 25'],
      [3, '1–3'],
    ]);
  });

  it('is what a bridge said last, also when no bridge says anything any more', () => {
    const later = { ...relation, theirs: 12, relation: 'behind' as const };
    const elsewhere = { ...relation, group: groupId('d'.repeat(32)) };
    const all = [[relation, elsewhere], [later], []].reduce<Relations>(withRelations, new Map());
    expect([...all.values()]).toEqual([elsewhere, later]);
  });
});
