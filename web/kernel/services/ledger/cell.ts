// What is known of a run of items that share their history, and what that decides (rule 6). Cells are values: never changed.
//
// A cell depends only on the set of events applied to it, never on their order, and is of bounded size. It knows its own round only:
// what was computed in another one has no say there.
import type { EventId, IdentityId } from '../../lib/ids.ts';
import { itemAttemptsMax, itemAttemptsOfAnyMax } from '../../limits.ts';

/** A computed event, as one cell sees it. */
export interface Candidate {
  readonly id: EventId;
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
  /** The result with the smallest id. */
  readonly ok: Candidate | null;
  readonly okCount: number;
  readonly failures: number;
  /** Of each identity the failure with the smallest id; the `failedOfMax` smallest of these, ascending by id. */
  readonly failed: readonly Candidate[];
  /** The one by the smallest accepting event. */
  readonly accepted: Acceptance | null;
  readonly decision: Decision | null;
}

export const failedOfMax = 16;

type Facts = Omit<Cell, 'decision'>;
const nothing: Facts = { round: 0, ok: null, okCount: 0, failures: 0, failed: [], accepted: null };
const decided = (facts: Facts, voices: number): Cell => ({ ...facts, decision: decide(facts, voices) });

/** `voices`: of how many identities failures are needed (fold.ts). */
export function withOk(cell: Cell | undefined, candidate: Candidate, voices: number): Cell {
  const facts = cell ?? nothing;
  const ok = facts.ok === null || candidate.id < facts.ok.id ? candidate : facts.ok;
  return decided({ ...facts, ok, okCount: facts.okCount + 1 }, voices);
}

export function withFailed(cell: Cell | undefined, candidate: Candidate, voices: number): Cell {
  const facts = cell ?? nothing;
  return decided({ ...facts, failures: facts.failures + 1, failed: firstOfEach(facts.failed, candidate) }, voices);
}

export function withAccepted(cell: Cell | undefined, acceptance: Acceptance, voices: number): Cell {
  const facts = cell ?? nothing;
  if (facts.accepted !== null && !earlier(acceptance, facts.accepted)) return cell!;
  return decided({ ...facts, accepted: acceptance }, voices);
}

/** A cell in a round of which nothing is known yet. */
export const openedAt = (round: number): Cell => ({ ...nothing, round, decision: null });

export const decidedAnew = (cell: Cell, voices: number): Cell => decided(cell, voices);

/** Who failed in the present round: another should try. */
export const failedBy = (cell: Cell): readonly IdentityId[] => cell.failed.map(({ identity }) => identity).toSorted();

/** Accepted beats everything. Then a result beats failures; among results the smallest id wins. */
function decide({ ok, failures, failed, accepted }: Facts, voices: number): Decision | null {
  if (accepted !== null) return { outcome: accepted.outcome, event: accepted.candidate.id, accepted: true };
  if (ok !== null) return { outcome: 'ok', event: ok.id, accepted: false };
  const enough = failures >= itemAttemptsOfAnyMax || (failures >= itemAttemptsMax && failed.length >= voices);
  return enough ? { outcome: 'failed', event: failed[0]!.id, accepted: false } : null;
}

/** One accepted event may name two for the same item: then the smaller of these, so that the order of arrival decides nothing. */
const earlier = (a: Acceptance, b: Acceptance) => (a.by === b.by ? a.candidate.id < b.candidate.id : a.by < b.by);

function firstOfEach(candidates: readonly Candidate[], added: Candidate): readonly Candidate[] {
  const known = candidates.find(({ identity }) => identity === added.identity);
  if (known !== undefined && known.id <= added.id) return candidates;
  const others = candidates.filter((candidate) => candidate !== known);
  return [...others, added].toSorted((a, b) => (a.id < b.id ? -1 : 1)).slice(0, failedOfMax);
}
