// How a job stands in this group: what the local kernel of every member says of it, joined to the ledger. Any member answers that.
import type { JobId } from '../../lib/ids.ts';
import { FaultError, unwrap } from '../../lib/outcome.ts';
import type { ReplyOf } from '../../protocol/contract.ts';
import { executorContract } from '../../protocol/contracts/executor.ts';
import { ledgerContract, type JobSummary } from '../../protocol/contracts/ledger.ts';
import type { Member } from '../../protocol/contracts/membership.ts';
import { queueContract } from '../../protocol/contracts/queue.ts';
import { schedulerContract, standingRunsMax } from '../../protocol/contracts/scheduler.ts';
import type { ServiceContext } from '../../service.ts';

type S = typeof schedulerContract;
export type Standing = ReplyOf<S, 'standings', 'get'>;
type Whole = ReplyOf<S, 'standings', 'query'>;

const memberTimeoutMs = 2_000;

/** What this tab does of the job; `excludedBy` is why it does nothing, where that is so. */
export async function standingHere(
  context: ServiceContext<S>,
  job: JobId,
  known: boolean,
  allocated: boolean | null,
  excludedBy: () => string,
): Promise<Standing> {
  const { running } = unwrap(await context.ask(executorContract, 'runs', 'query', {})).body;
  const { claims } = unwrap(await context.ask(queueContract, 'claims', 'query', {})).body;
  const mine = running.filter((run) => run.job === job);
  const runs = mine.slice(0, standingRunsMax).map(({ range, items, finished, phase }) => ({ range, items, finished, phase }));
  const claimed = claims.filter((claim) => claim.job === job).length;
  return { known, allocated, claimed, runs, excludedBy: runs.length > 0 || claimed > 0 ? '' : excludedBy() };
}

/** Asks every member; whoever does not answer in time has a `standing` of null. @throws FaultError 'not-found' */
export async function standingOf(
  context: ServiceContext<S>,
  job: JobId,
  members: readonly Member[],
  here: () => Promise<Standing>,
): Promise<Whole> {
  const asked = members.map(async ({ peer, identity }) => {
    if (peer === context.self.peer) return { peer, identity, standing: await here() };
    const reply = await context.ask(schedulerContract, 'standings', 'get', { job }, { peer, timeoutMs: memberTimeoutMs });
    return { peer, identity, standing: reply.ok ? reply.value.body : null };
  });
  const { jobs } = unwrap(await context.ask(ledgerContract, 'jobs', 'query', {})).body;
  const summary = jobs.find(({ id }) => id === job);
  if (summary === undefined) throw new FaultError('not-found', 'This job is not known here.');
  const { loans } = unwrap(await context.ask(ledgerContract, 'loans', 'query', { job })).body;
  const { records } = unwrap(await context.ask(queueContract, 'records', 'query', { job })).body;
  const count = (state: (typeof records)[number]['state']) => records.filter((record) => record.state === state).length;
  const lentItems = loans.reduce((sum, { open }) => sum + open.reduce((items, [first, end]) => items + end - first, 0), 0);
  return { ...ledgerFacts(summary), waiting: count('waiting'), claimed: count('claimed'), lentItems, members: await Promise.all(asked) };
}

const ledgerFacts = ({ state, reason, items, committed, failed, home }: JobSummary) => ({ state, reason, items, committed, failed, home });
