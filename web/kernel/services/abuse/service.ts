// What the operator of the site has denied, and what donors report to them. The list comes from the server or from other tabs, and counts by
// its signature alone; here it is only kept and told. Who runs, holds or takes something asks for it: the ledger, the blocks, the kernel.
import { FaultError, unwrap } from '../../lib/outcome.ts';
import { encodeWire } from '../../lib/wire-codec.ts';
import { denyListFetchEveryMs } from '../../limits.ts';
import type { Cancel } from '../../platform.ts';
import { abuseContract, type DeniedState } from '../../protocol/contracts/abuse.ts';
import { groupsContract } from '../../protocol/contracts/groups.ts';
import { ledgerContract } from '../../protocol/contracts/ledger.ts';
import { membershipContract } from '../../protocol/contracts/membership.ts';
import { neverMax, resourcesContract } from '../../protocol/contracts/resources.ts';
import { reportStatement, type Report } from '../../protocol/deny-list.ts';
import type { Service, ServiceContext, ServiceFactory } from '../../service.ts';
import { Gossip } from './gossip.ts';
import { ListKeeper } from './list-keeper.ts';
import { Outbox } from './outbox.ts';

/** Tabs that were opened together do not ask the server together. */
const firstFetchMsMax = 3_000;

type A = typeof abuseContract;

export const abuseService: ServiceFactory<A> = (context): Service<A> => {
  const { operator, clock, random } = context.platform;
  const cancels: Cancel[] = [];
  let running = false;
  let fetching: Cancel | undefined;

  const keeper = operator === undefined ? undefined : new ListKeeper(context.platform, operator.key);
  const outbox = operator === undefined ? undefined : new Outbox(context.platform, operator, () => publish());
  const gossip = new Gossip(
    context,
    () => keeper?.version ?? 0,
    async (list, by) => {
      const taken = running && (await keeper?.offer(list, by)) === true;
      publish();
      return taken;
    },
  );

  const state = (): DeniedState => ({
    operator: operator?.key ?? null,
    version: keeper?.version ?? 0,
    signedAt: keeper?.list?.signedAt ?? 0,
    entries: keeper?.list?.entries ?? [],
    refused: [...(keeper?.refused ?? [])],
    reportsWaiting: outbox?.waiting ?? 0,
  });
  let published = '';
  function publish(): void {
    if (!running) return;
    const now = state();
    const stamp = `${now.version} ${now.refused.at(-1)?.at ?? 0} ${now.refused.length} ${now.reportsWaiting}`;
    if (stamp === published) return;
    published = stamp;
    context.publish('denied', now);
  }

  function fetchAfter(ms: number): void {
    fetching = clock.after(ms, () => {
      fetchAfter(denyListFetchEveryMs * (0.75 + random.fraction() / 2));
      void fetchList();
    });
  }
  /** A server that is away is no news: the other tabs have the list too. */
  async function fetchList(): Promise<void> {
    const answer = await operator!.fetchList();
    if (!running || !answer.ok || answer.value === null) return;
    if (await keeper!.offer(answer.value, null)) gossip.spread(undefined);
    publish();
  }

  return {
    contract: abuseContract,
    handlers: {
      list: {
        query: ({ version }, call) => {
          if (keeper === undefined) return { list: null };
          if (version > keeper.version) gossip.heard(call.from, version);
          return { list: version < keeper.version ? keeper.signed! : null };
        },
        update: ({ version }, call) => {
          if (keeper !== undefined) gossip.heard(call.from, version);
          return {};
        },
      },
      reports: {
        create: async ({ job, reason, words, submitter: theirs }) => {
          const { jobs } = unwrap(await context.ask(ledgerContract, 'jobs', 'query', {})).body;
          const manifest = jobs.find(({ id }) => id === job)?.manifest;
          if (manifest === undefined) throw new FaultError('not-found', 'That job is not known here any more.');
          const { submitter, name, codeHash } = manifest;
          if (submitter === context.self.identity) throw new FaultError('refused', 'This job is your own.');
          await never(context, theirs ? [job, submitter] : [job]);
          if (outbox === undefined)
            throw new FaultError('refused', 'This site has nobody who takes reports. The job will not run here again.');
          const { identity: reporter, network } = context.self;
          const report: Report = { v: 1, reporter, network, job, name, submitter, codeHash, reason, words, at: clock.wall() };
          const bytes = encodeWire(report);
          const why = await outbox.add({ bytes, signature: await context.platform.signer.sign(reportStatement(bytes)) });
          return { sent: why === '', why: why.slice(0, 300) };
        },
      },
    },
    start: async () => {
      if (running) return;
      running = true;
      published = '';
      await keeper?.load();
      publish();
      if (operator === undefined || !running) return;
      await outbox!.start();
      gossip.start();
      cancels.push(
        context.watch(membershipContract, 'view', ({ members }) => gossip.setMembers(members)),
        context.watch(groupsContract, 'view', (view) => gossip.setGroups(view)),
      );
      fetchAfter(random.fraction() * firstFetchMsMax);
    },
    stop: () => {
      running = false;
      for (const cancel of cancels.splice(0)) cancel();
      fetching?.();
      fetching = undefined;
      gossip.stop();
      outbox?.stop();
    },
  };
};

/** Puts them on the person's own list of what never runs here. */
async function never(context: ServiceContext<A>, ids: readonly string[]): Promise<void> {
  const { limits } = unwrap(await context.ask(resourcesContract, 'state', 'get', {})).body;
  const list = [...limits.never.filter((id) => !ids.includes(id)), ...ids].slice(-neverMax);
  unwrap(await context.ask(resourcesContract, 'limits', 'update', { never: list }));
}
