// Decides what this tab works on next, and, when it is its turn, keeps the queue filled (steward).
import type { JobId } from '../../lib/ids.ts';
import type { Cancel } from '../../platform.ts';
import { executorContract } from '../../protocol/contracts/executor.ts';
import { groupsContract } from '../../protocol/contracts/groups.ts';
import { ledgerContract, type JobSummary } from '../../protocol/contracts/ledger.ts';
import { membershipContract, type Member } from '../../protocol/contracts/membership.ts';
import { queueContract } from '../../protocol/contracts/queue.ts';
import { resourcesContract } from '../../protocol/contracts/resources.ts';
import { schedulerContract } from '../../protocol/contracts/scheduler.ts';
import type { Service, ServiceFactory } from '../../service.ts';
import { Words } from './allocate.ts';
import { standingHere, standingOf } from './standing.ts';
import { Stewardship } from './stewardship.ts';
import { Worker } from './worker.ts';

const givenEveryMs = 250;
/** Looked at without a cause too, so that the rate falls to 0 when nothing is given any more. */
const givenIdleMs = 1_000;

export const schedulerService: ServiceFactory<typeof schedulerContract> = (context): Service<typeof schedulerContract> => {
  const { clock } = context.platform;
  const cancels: Cancel[] = [];
  let running = false;
  let publishTimer: Cancel | undefined;
  let idleTimer: Cancel | undefined;
  let published = '';
  const given = () => ({ ...worker.given.read(clock.now()), waitingFor: worker.waitingFor().slice(0, 200) });
  const changed = () => {
    if (!running) return;
    publishTimer ??= clock.after(givenEveryMs, () => {
      publishTimer = undefined;
      const now = given();
      const gist = JSON.stringify(now);
      if (gist === published) return;
      published = gist;
      context.publish('given', now);
    });
  };
  const tick = () => {
    idleTimer = clock.after(givenIdleMs, () => {
      tick();
      changed();
    });
  };
  const words = new Words();
  const worker = new Worker(context, changed, words);
  const stewardship = new Stewardship(context, words, worker.declines);
  let members: readonly Member[] = [];
  let jobsKnown: ReadonlyMap<JobId, JobSummary> = new Map();
  // What the person chose goes before what a steward, who cannot know it, may have said.
  const allocated = (job: JobId) => (worker.declines(job) ? false : words.allocated(job));
  const here = (job: JobId) => standingHere(context, job, jobsKnown.has(job), allocated(job), () => worker.exclusionOf(job));

  return {
    contract: schedulerContract,
    handlers: {
      receipts: { query: () => ({ receipts: worker.receipts.list() }) },
      jobs: { submit: async ({ job }) => ({ functions: await stewardship.submit(job) }) },
      team: {
        replace: ({ mark }) => {
          worker.setTeam(mark);
          return {};
        },
      },
      allocations: {
        update: ({ jobs }, call) => {
          if (!members.some(({ peer }) => peer === call.from)) return { declined: [] };
          for (const { job, allocated } of jobs) words.hear(call.from, job, allocated);
          return { declined: jobs.flatMap(({ job, allocated }) => (allocated && worker.declines(job) ? [job] : [])) };
        },
      },
      standings: {
        get: ({ job }) => here(job),
        query: ({ job }) => standingOf(context, job, members, () => here(job)),
      },
      state: {
        get: () => {
          const { parts, items, cpuMs, waitingFor } = given();
          return { ...worker.counts(), partsDone: parts, itemsDone: items, cpuMs, waitingFor };
        },
      },
    },
    start: () => {
      if (running) return;
      running = true;
      worker.start();
      stewardship.start();
      tick();
      cancels.push(
        context.watch(resourcesContract, 'state', (state) => {
          stewardship.setWorkers(state.workersAllowed);
          worker.setResources(state);
        }),
        context.watch(membershipContract, 'view', (view) => {
          members = view.members;
          words.setMembers(members);
          stewardship.setMembers(members);
          worker.setMembers(members);
        }),
        context.watch(groupsContract, 'view', (view) => stewardship.setGroups(view)),
        context.watch(ledgerContract, 'jobs', (publication) => {
          const jobs = new Map<JobId, JobSummary>(publication.jobs.map((job) => [job.id, job]));
          jobsKnown = jobs;
          stewardship.setJobs(jobs);
          worker.setJobs(jobs);
          changed();
        }),
        context.watch(ledgerContract, 'decided', ({ job, ranges, ended }) => {
          if (!ended) void stewardship.decided(job, ranges);
        }),
        context.watch(queueContract, 'changed', ({ waiting }) => worker.nudge(waiting)),
        context.watch(executorContract, 'running', ({ running: runs }) => worker.setRunning(runs)),
        context.watch(queueContract, 'lost', ({ records }) => worker.claimsLost(records)),
      );
    },
    stop: () => {
      running = false;
      for (const cancel of cancels.splice(0)) cancel();
      publishTimer?.();
      idleTimer?.();
      publishTimer = idleTimer = undefined;
      stewardship.stop();
      worker.stop();
    },
  };
};
