// What of a job is this group's to queue (rule 13): at home everything but what is lent, elsewhere only what was lent to it. Pure but
// for what it remembers of each loan.
import type { EventId, GroupId, PeerId } from '../../lib/ids.ts';
import { exportLeaseMs } from '../../limits.ts';
import type { GroupsView } from '../../protocol/contracts/groups.ts';
import type { Range } from '../../protocol/schemas.ts';
import type { Undecided } from './steward.ts';

export interface Loan {
  readonly event: EventId;
  readonly actor: PeerId;
  readonly to: GroupId;
  readonly round: number;
  readonly open: readonly Range[];
}

/** Loans of one lender that came to nothing: its further ones do not keep anything from being queued here. */
const vainLoansMax = 3;
const seenMax = 4_096;

interface Seen {
  open: number;
  /** When something of it was decided last, or it came. */
  movedAt: number;
  /** Somebody else than a member of this group may say that it lent something: that counts for nothing at home. */
  readonly ours: boolean;
  over: boolean;
}

/** One steward's view of a job's loans. */
export class LoanWatch {
  readonly #seen = new Map<EventId, Seen>();
  readonly #vain = new Map<PeerId, number>();

  /**
   * Those that count: not over, and lent by a member. A loan is over when nothing of it was decided for `exportLeaseMs` and the borrower is
   * not heard, or for `patienceMs` whatever is heard.
   */
  counting(
    loans: readonly Loan[],
    now: number,
    isMember: (peer: PeerId) => boolean,
    isHeard: (group: GroupId) => boolean,
    patienceMs: (items: number) => number,
  ): Loan[] {
    const known = new Set(loans.map(({ event }) => event));
    if (this.#seen.size > seenMax) for (const event of this.#seen.keys()) if (!known.has(event)) this.#seen.delete(event);
    return loans.filter(({ event, actor, to, open }) => {
      const items = itemsIn(open);
      let seen = this.#seen.get(event);
      if (seen === undefined) {
        this.#seen.set(event, (seen = { open: items, movedAt: now, ours: isMember(actor), over: false }));
      }
      if (items < seen.open) Object.assign(seen, { open: items, movedAt: now });
      const idle = now - seen.movedAt;
      if (!seen.over && idle > exportLeaseMs && (!isHeard(to) || idle > exportLeaseMs + patienceMs(items))) {
        seen.over = true;
        this.#vain.set(actor, (this.#vain.get(actor) ?? 0) + 1);
      }
      return seen.ours && !seen.over && (this.#vain.get(actor) ?? 0) < vainLoansMax;
    });
  }
}

/** Whether this group sees to it that all of a job is run. Where nothing is known of groups, it does. */
export const isAtHome = (home: GroupId, view: Pick<GroupsView, 'answersFor'> | undefined): boolean =>
  view === undefined || view.answersFor.includes(home);

/** What of `undecided` lies in what was lent to these groups. */
export function lentTo(groups: readonly GroupId[], undecided: readonly Undecided[], loans: readonly Loan[]): Undecided[] {
  const mine = loans.filter(({ to }) => groups.includes(to));
  return undecided.flatMap((piece) => {
    const ranges = joined(mine.flatMap(({ round, open }) => (round === piece.round ? open : [])));
    return ranges.flatMap(([first, end]): Undecided[] => {
      const range: Range = [Math.max(first, piece.range[0]), Math.min(end, piece.range[1])];
      return range[0] < range[1] ? [{ ...piece, range }] : [];
    });
  });
}

export const itemsIn = (ranges: readonly Range[]): number => ranges.reduce((sum, [first, end]) => sum + end - first, 0);

/** Ascending and apart. */
function joined(ranges: readonly Range[]): Range[] {
  const whole: [number, number][] = [];
  for (const [first, end] of ranges.toSorted((a, b) => a[0] - b[0])) {
    const last = whole.at(-1);
    if (last !== undefined && first <= last[1]) last[1] = Math.max(last[1], end);
    else whole.push([first, end]);
  }
  return whole;
}
