// Who ran what and what is claimed now, as runs of items: decided spans from the ledger, claims from the queue.
import type { IdentityId, JobId } from '../kernel/lib/ids.ts';
import { nameOf } from '../kernel/lib/names.ts';
import { ledgerContract } from '../kernel/protocol/contracts/ledger.ts';
import { queueContract } from '../kernel/protocol/contracts/queue.ts';
import type { Bus } from '../kernel/service.ts';
import { valueOf } from './errors.ts';
import type { ResultReader } from './results.ts';
import type { Overview, Span } from './types.ts';

export const overviewSpansMax = 10_000;

export async function overviewOf(
  bus: Bus,
  job: JobId,
  items: number,
  reader: ResultReader,
  identityOf: (peer: string) => IdentityId | '',
): Promise<Overview> {
  const decided: Span[] = (await reader.spans(0, items)).map(({ range, outcome, by }) => ({
    range,
    state: outcome === 'ok' ? 'committed' : 'failed',
    by,
  }));
  const records = valueOf(await bus.ask(queueContract, 'records', 'query', { job }), 'The queue did not answer').body.records;
  const claimed: Span[] = records
    .filter((record) => record.state === 'claimed')
    .map((record) => ({ range: record.range, state: 'claimed', by: record.owner === null ? '' : identityOf(record.owner) }));
  const detail = valueOf(await bus.ask(ledgerContract, 'decisions', 'get', { job }), 'The ledger did not answer').body;
  return {
    spans: joinNeighbours(
      layOver(
        decided,
        claimed.toSorted((a, b) => a.range[0] - b.range[0]),
      ),
    ),
    contributors: detail.contributors
      .map((contributor) => ({ ...contributor, name: nameOf(contributor.identity) }))
      .toSorted((a, b) => b.items - a.items),
  };
}

/** `upper` and what of `lower` lies outside it; both ascending, the answer too. */
export function layOver(upper: readonly Span[], lower: readonly Span[]): Span[] {
  const spans: Span[] = [];
  let reached = 0;
  let next = 0;
  const fill = (until: number) => {
    while (next < lower.length && lower[next]!.range[0] < until) {
      const { range, state, by } = lower[next]!;
      const first = Math.max(range[0], reached);
      const end = Math.min(range[1], until);
      if (first < end) {
        spans.push({ range: [first, end], state, by });
        reached = end;
      }
      if (range[1] > until) return;
      next++;
    }
  };
  for (const span of upper) {
    fill(span.range[0]);
    spans.push(span);
    reached = Math.max(reached, span.range[1]);
  }
  fill(Infinity);
  return spans;
}

/** Neighbours of one state and one author become one; past the bound, neighbours of one state do. */
export function joinNeighbours(spans: readonly Span[]): Span[] {
  const joined = joinWhere(spans, (a, b) => a.by === b.by && a.state === b.state);
  return joined.length <= overviewSpansMax ? joined : joinWhere(joined, (a, b) => a.state === b.state).slice(0, overviewSpansMax);
}

function joinWhere(spans: readonly Span[], alike: (a: Span, b: Span) => boolean): Span[] {
  const joined: Span[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    if (last !== undefined && last.range[1] === span.range[0] && alike(last, span)) {
      joined[joined.length - 1] = { range: [last.range[0], span.range[1]], state: span.state, by: last.by === span.by ? span.by : '' };
    } else joined.push(span);
  }
  return joined;
}
