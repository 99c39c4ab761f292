// What a team gave together, from what its members signed. Pure.
import type { TeamGift } from '../../kernel/protocol/contracts/ledger.ts';

export interface MemberSum {
  readonly identity: string;
  readonly items: number;
  readonly parts: number;
  readonly jobs: number;
}

export interface TeamSum extends Omit<MemberSum, 'identity'> {
  /** Who gave most first; this browser's own identity is among them, also with nothing. */
  readonly members: readonly MemberSum[];
}

/** A job that several helped counts once for the team. */
export function teamSum(gifts: readonly TeamGift[], self: string): TeamSum {
  const members = new Map<string, { items: number; parts: number; readonly jobs: Set<string> }>();
  const of = (identity: string) => {
    const known = members.get(identity) ?? { items: 0, parts: 0, jobs: new Set<string>() };
    members.set(identity, known);
    return known;
  };
  of(self);
  for (const { identity, job, items, parts } of gifts) {
    const member = of(identity);
    member.items += items;
    member.parts += parts;
    member.jobs.add(job);
  }
  const list = [...members].map(([identity, { items, parts, jobs }]) => ({ identity, items, parts, jobs: jobs.size }));
  return {
    members: list.toSorted((a, b) => b.items - a.items || b.parts - a.parts || (a.identity < b.identity ? -1 : 1)),
    items: list.reduce((sum, { items }) => sum + items, 0),
    parts: list.reduce((sum, { parts }) => sum + parts, 0),
    jobs: new Set(gifts.map(({ job }) => job)).size,
  };
}
