// What is known of a run of items that share their history, and what that decides (rule 6). Cells are values: never changed.
//
// A cell depends only on the set of events applied to it, never on their order, and is of bounded size: a candidate that can
// no longer win under any round is dropped.
import type { EventId, IdentityId } from '../../lib/ids.ts';
import { itemAttemptsMax } from '../../limits.ts';

/** A computed event, as one cell sees it. */
export interface Candidate {
  readonly id: EventId;
  readonly round: number;
  readonly identity: IdentityId;
}

/** The submitter took `candidate`'s outcome, by the accepted event `by`. */
export interface Acceptance {
  readonly by: EventId;
  readonly outcome: 'ok' | 'failed';
  readonly candidate: Candidate;
}

export interface Decision {
  readonly outcome: 'ok' | 'failed';
  readonly event: EventId;
  readonly accepted: boolean;
}

export interface Cell {
  /** The round the items are in: the highest that a setting opened for them. */
  readonly round: number;
  /** Those that could win in some round: ascending by round and by id. */
  readonly ok: readonly Candidate[];
  readonly okCount: number;
  /** Of each round the `itemAttemptsMax` smallest ids: ascending by round, then id. */
  readonly failed: readonly Candidate[];
  /** Of each round and outcome the smallest accepting event. */
  readonly accepted: readonly Acceptance[];
  readonly decision: Decision | null;
}

type Facts = Omit<Cell, 'decision'>;
const nothing: Facts = { round: 0, ok: [], okCount: 0, failed: [], accepted: [] };
const decided = (facts: Facts): Cell => ({ ...facts, decision: decide(facts) });

export function withOk(cell: Cell | undefined, candidate: Candidate): Cell {
  const facts = cell ?? nothing;
  return decided({ ...facts, ok: frontier(facts.ok, candidate), okCount: facts.okCount + 1 });
}

export function withFailed(cell: Cell | undefined, candidate: Candidate): Cell {
  const facts = cell ?? nothing;
  return decided({ ...facts, failed: smallestPerRound(facts.failed, candidate) });
}

export function withAccepted(cell: Cell | undefined, acceptance: Acceptance): Cell {
  const facts = cell ?? nothing;
  const alike = (other: Acceptance) => other.outcome === acceptance.outcome && other.candidate.round === acceptance.candidate.round;
  const known = facts.accepted.find(alike);
  if (known !== undefined && !earlier(acceptance, known)) return cell!;
  return decided({ ...facts, accepted: [...facts.accepted.filter((other) => !alike(other)), acceptance] });
}

export function withRound(cell: Cell | undefined, round: number): Cell {
  const facts = cell ?? nothing;
  return round > facts.round ? decided({ ...facts, round }) : (cell ?? decided(facts));
}

/** Who failed in the present round: another should try. */
export function failedBy(cell: Cell): readonly IdentityId[] {
  return [...new Set(cell.failed.filter((candidate) => candidate.round >= cell.round).map((candidate) => candidate.identity))].toSorted();
}

/**
 * Accepted beats everything, but a failure that was accepted does not outlive a retry. Then a result beats failures; among results
 * the highest round wins, and a round nobody opened counts as the one the items are in; then the smallest id. `itemAttemptsMax`
 * failures in the present round are for good.
 */
function decide({ round, ok, failed, accepted }: Facts): Decision | null {
  let acceptance: Acceptance | undefined;
  for (const each of accepted) {
    const counts = each.outcome === 'ok' || each.candidate.round >= round;
    if (counts && (acceptance === undefined || earlier(each, acceptance))) acceptance = each;
  }
  if (acceptance !== undefined) return { outcome: acceptance.outcome, event: acceptance.candidate.id, accepted: true };
  if (ok.length > 0) {
    // Ascending by both: the first at or above the present round has the smallest id of those; else the last is the highest below.
    const best = ok.find((candidate) => candidate.round >= round) ?? ok.at(-1)!;
    return { outcome: 'ok', event: best.id, accepted: false };
  }
  const attempts = failed.filter((candidate) => candidate.round >= round);
  if (attempts.length < itemAttemptsMax) return null;
  const first = attempts.reduce((a, b) => (b.id < a.id ? b : a));
  return { outcome: 'failed', event: first.id, accepted: false };
}

/** One accepted event may name two for the same item: then the smaller of these, so that the order of arrival decides nothing. */
const earlier = (a: Acceptance, b: Acceptance) => (a.by === b.by ? a.candidate.id < b.candidate.id : a.by < b.by);

/** A candidate that another matches in round and beats by id cannot win in any round. */
function frontier(candidates: readonly Candidate[], added: Candidate): readonly Candidate[] {
  const beats = (a: Candidate, b: Candidate) => a.round >= b.round && a.id < b.id;
  if (candidates.some((candidate) => beats(candidate, added))) return candidates;
  return [...candidates.filter((candidate) => !beats(added, candidate)), added].toSorted(byRound);
}

function smallestPerRound(candidates: readonly Candidate[], added: Candidate): readonly Candidate[] {
  const sameRound = candidates.filter((candidate) => candidate.round === added.round);
  if (sameRound.length >= itemAttemptsMax) {
    const largest = sameRound.at(-1)!;
    if (added.id > largest.id) return candidates;
    return [...candidates.filter((candidate) => candidate !== largest), added].toSorted(byRound);
  }
  return [...candidates, added].toSorted(byRound);
}

const byRound = (a: Candidate, b: Candidate) => a.round - b.round || (a.id < b.id ? -1 : 1);
